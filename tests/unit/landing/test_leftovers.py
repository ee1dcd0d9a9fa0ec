"""What a killed run leaves behind, and who clears it away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from regulars.dbt_project import keep_parsed_project, parsed_project
from regulars.manifest import commit_batch, committed_manifests
from regulars.settings import PROJECT_DIR, Settings
from regulars.spool import clear_spool, open_spool
from regulars.storage import FolderStorage

PEOPLE = "id,email,amount,born_on,seen_at,is_member,tier\n1,,5,,,,\n"
KILLED_PUBLISHING = """
import os, signal, sys
from pathlib import Path
import duckdb
from regulars.warehouse.duckdb_publish import publish
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with duckdb.connect(sys.argv[1] + "/warehouse.duckdb") as connection:
    connection.execute("create schema if not exists marts")
    publish(connection, Path(sys.argv[1]) / "published.duckdb", ["marts"])
"""
PUBLISHING = KILLED_PUBLISHING.replace("os.replace = ", "unused = ")


def finished_process() -> int:
    done = subprocess.Popen(["true"])
    done.wait()
    return done.pid


def test_spools_of_killed_processes_go_and_those_of_running_ones_stay(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    spool = tmp_path / "spool"
    for name in (
        f"{finished_process()}-abc",
        "retention-0123",
        "deliver-highly_engaged-2026-01-05",
        f"{os.getppid()}-abc",
    ):
        (spool / name).mkdir(parents=True)
        (spool / name / "members.csv").write_text("personal data")
    with open_spool(settings) as mine:
        clear_spool(settings)
        assert sorted(path.name for path in spool.iterdir()) == sorted([mine.name, f"{os.getppid()}-abc"])
        assert mine.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in spool.iterdir()] == [f"{os.getppid()}-abc"]


def test_a_home_without_a_spool_has_nothing_to_clear(tmp_path: Path) -> None:
    clear_spool(Settings(_env_file=None, home=tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_a_batch_holds_only_its_files_after_its_commit_was_killed(place) -> None:
    place.write("people.csv", PEOPLE)
    manifest = place.land().manifest
    storage = FolderStorage(Path(place.settings.landing_root))
    folder = Path(storage.url(manifest.folder))
    part = (folder / "part-0000.parquet").rename(place.folder / "part")
    (folder / "manifest.json").unlink()  # as a kill before the manifest leaves it
    (folder / ".part-0000.parquet.0123").write_bytes(b"draft")
    commit_batch(storage, manifest, {"part-0000.parquet": part})
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "part-0000.parquet"]


def test_loading_removes_what_never_became_a_batch_on_any_day(place) -> None:
    place.write("people.csv", PEOPLE)
    landed = place.land().manifest
    storage = FolderStorage(Path(place.settings.landing_root))
    storage.write_bytes("people/as_of=2026-01-24/0123/part-0000.parquet", b"of a replay that was killed")
    assert committed_manifests(storage, "people", skip=set()) == [landed]
    assert storage.exists("people/as_of=2026-01-24/0123/part-0000.parquet")
    assert committed_manifests(storage, "people", skip=set(), remove_unfinished=True) == [landed]
    assert not storage.exists("people/as_of=2026-01-24/0123")
    assert committed_manifests(storage, "people", skip={landed.batch_id}, remove_unfinished=True) == []
    assert storage.exists(f"{landed.folder}/manifest.json")


def test_a_killed_publication_leaves_nothing_after_the_next_one(tmp_path: Path) -> None:
    def publish(program: str) -> int:
        return subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=PROJECT_DIR, check=False).returncode

    assert publish(KILLED_PUBLISHING) == -9
    assert not (tmp_path / "published.duckdb").exists()
    assert publish(PUBLISHING) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["published.duckdb", "warehouse.duckdb"]


def test_a_killed_copy_of_the_parsed_project_is_written_over(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    for run in ("killed", "next"):
        target = tmp_path / "dbt" / run / "build"
        target.mkdir(parents=True)
        (target / "partial_parse.msgpack").write_bytes(run.encode())
    replace = Path.replace
    try:
        Path.replace = lambda self, target: self  # type: ignore[method-assign,assignment,return-value]
        keep_parsed_project(settings, tmp_path / "dbt" / "killed" / "build")
    finally:
        Path.replace = replace  # type: ignore[method-assign]
    keep_parsed_project(settings, tmp_path / "dbt" / "next" / "build")
    assert parsed_project(settings).read_bytes() == b"next"
    assert [path.name for path in (tmp_path / "dbt").iterdir() if path.is_file()] == ["partial_parse.msgpack"]

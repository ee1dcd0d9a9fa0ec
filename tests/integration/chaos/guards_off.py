"""Break one thing, or switch one guard of the library off, and print as JSON which checks of the oracle see it.

A program of its own: trials are forks of one warm process without threads, which a test runner is not.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from chaos.fault import Bench, Fault
from chaos.faults import KINDS
from chaos.findings import Finding
from chaos.oracle import compare, unchanged
from chaos.pipelines import daily_loyalty_merge
from chaos.plain import import_everything
from chaos.processes import become_subreaper, call, end_strays, fork, strays
from chaos.services import crash, query
from chaos.tripwire import CommitPoint, kill_at, replace_call
from chaos.world import World
from regulars.contracts import read_contracts
from regulars.settings import PROJECT_DIR

Seen = dict[str, list[list[str]]]
DAY = "as_of=2026-01-05"


def main(folder: Path) -> None:
    become_subreaper()
    daily = daily_loyalty_merge(500)
    import_everything(daily.flow)
    seen: Seen = {}
    bench = Bench(daily, folder / "daily", 7, twice_every=2)
    damaged(bench.world("first-day"), seen)
    running(bench, seen)
    delivered_again(bench.world("first-day"), seen)
    bench.close()
    bench = Bench(replace(daily, flow="flows.ingest:ingest"), folder / "ingest", 7, twice_every=2)
    guards(bench, seen)
    faults(bench, seen)
    bench.close()
    print(json.dumps(seen))


def damaged(world: World, seen: Seen) -> None:
    """One thing at a time broken in a home that is whole."""
    whole = world.home.with_name("whole")
    shutil.copytree(world.home, whole)

    def judge(name: str, damage: Callable[[], object]) -> None:
        shutil.rmtree(world.home)
        shutil.copytree(whole, world.home)
        call(damage, world.folder / "damage.log")
        seen[name] = facts(compare(world.state(), world.expected.state))
        shutil.rmtree(world.temporary)
        world.temporary.mkdir()

    def sql(statement: str, file: str = "warehouse.duckdb") -> Callable[[], None]:
        def run() -> None:
            with duckdb.connect(str(world.home / file)) as connection:
                connection.execute(statement)

        return run

    def stray(path: str) -> Callable[[], None]:
        def write() -> None:
            target = world.home / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"left behind")

        return write

    def first(pattern: str) -> Path:
        return min(path for path in world.home.glob(pattern) if path.is_file())

    judge("nothing", lambda: None)
    judge(
        "a row is gone",
        sql("delete from marts.loyalty_master where user_id = (select min(user_id) from marts.loyalty_master)"),
    )
    judge("a staging table stays", sql("create table marts.loyalty_master__dbt_tmp as select 1 as one"))
    judge("a batch is forgotten", sql("delete from ops.built_batches where table_name = 'user_profile'"))
    judge(
        "a finding that nobody found",
        sql("insert into ops.findings (as_of, rule, rows_found) values (date '2026-01-05', 'daily_total', 1)"),
    )
    judge("a picture more than drawn", stray("charts/2026-01-05/findings.svg"))
    judge(
        "a row was lost on the way",
        sql("update ops.ingestion_logs set rows_read = rows_read + 1 where table_name = 'support_calls'"),
    )
    judge(
        "a batch is in the ledger twice",
        sql("insert into ops.ingestion_logs select * from ops.ingestion_logs where table_name = 'support_calls'"),
    )
    judge("a delivery is not in the ledger", sql("delete from ops.deliveries where segment = 'highly_engaged'"))
    judge(
        "the published copy differs",
        sql(
            "delete from marts.loyalty_history where user_id = (select min(user_id) from marts.loyalty_history)",
            "published.duckdb",
        ),
    )
    judge("a draft of the published copy stays", stray(".published.duckdb.draft"))
    judge("a part without a manifest", stray(f"landing/user_profile/{DAY}/0123/part-0000.parquet"))
    judge(
        "a draft in a batch",
        lambda: (first("landing/user_profile/*/*/manifest.json").parent / ".part-0000.parquet.1").write_bytes(b"x"),
    )
    judge("a landed part has other bytes", lambda: os.truncate(first("landing/user_profile/*/*/part-*"), 10))
    judge("a batch is gone", lambda: shutil.rmtree(first("landing/region_metadata/*/*/manifest.json").parent))
    judge("a delivered file is gone", lambda: first("deliveries/*/*/*/*/left.csv").unlink())
    judge(
        "a file more than delivered", lambda: (first("deliveries/*/*/*/*/left.csv").parent / "more.csv").write_text("")
    )
    judge("a spool stays", stray("spool/1-abc/typed-0.parquet"))
    judge("a temporary file stays", lambda: (world.temporary / "profiles.yml").write_text("left behind"))
    shutil.rmtree(world.home)
    shutil.copytree(whole, world.home)


def running(bench: Bench, seen: Seen) -> None:
    """Somebody still holds a lock, or still runs."""
    world = bench.world("first-day")

    def hold() -> None:
        connection = duckdb.connect(str(world.home / "warehouse.duckdb"))
        (world.folder / "held").touch()
        signal.pause()
        connection.close()

    holder = fork(hold, world.log)
    while not (world.folder / "held").exists():
        time.sleep(0.01)
    seen["the warehouse is locked"] = facts(list(world.state().wrong))
    holder.kill_group()

    parent = fork(lambda: subprocess.Popen(["sleep", "60"], start_new_session=True) and None, world.log)
    parent.wait(10)
    seen["a process stays"] = [["processes", line] for line in strays(set(), patience=0.2)]
    end_strays(set())
    seen["no process stays"] = [["processes", line] for line in strays(set())]

    postgres = bench.postgres()
    uri = postgres.up().uri() + "&application_name=regulars"
    seen["no session stays"] = [["locks", line] for line in postgres.stuck_sessions()]
    waiting = fork(lambda: query(uri, "select pg_advisory_lock(1), pg_sleep(60)"), world.log)
    while not (held := postgres.stuck_sessions()) or len(held) < 2:
        time.sleep(0.05)
    seen["a session stays"] = [["locks", line] for line in held]
    waiting.kill_group()
    crash(postgres.up())


def delivered_again(world: World, seen: Seen) -> None:
    """A rerun that does not know what is delivered already."""
    before = world.state()

    def forget() -> None:
        from regulars.segments import delivery

        replace_call(
            "regulars.segments.files.export_full", lambda original: lambda job, asked, known: original(job, asked, None)
        )
        assert delivery.export_full.__name__ == "<lambda>"

    world.tamper = forget
    world.spawn().wait(120)
    world.tamper = None
    seen["delivered again"] = facts(unchanged(before, world.state()))


def guards(bench: Bench, seen: Seen) -> None:
    """The library without one of its guards, killed where that guard matters, then run again."""
    world = bench.world("first-day")

    def judge(name: str, point: CommitPoint | None, number: int, tamper: Callable[[], object]) -> None:
        world.tamper = tamper

        def inject(world: World) -> bool:
            child = world.spawn(before=(lambda: kill_at(point, "before", number)) if point else None)
            child.wait(120)
            assert child.status == (-signal.SIGKILL if point else 0), child.said()
            return False

        outcome = bench.carry_out(Fault("guards-off", 1, "first-day", name, inject))
        world.tamper = None
        seen[name] = facts(outcome.findings)

    def without(name: str, replacement: Any) -> Callable[[], None]:
        return lambda: replace_call(name, lambda _: replacement)

    views = CommitPoint("views", "regulars.warehouse.duckdb.DuckDBWarehouse._point_views")
    placed = CommitPoint("file", "regulars.storage.FolderStorage.put_file")
    renamed = CommitPoint("rename", "regulars.storage.FolderStorage._settle")
    manifest = CommitPoint("manifest", "regulars.manifest.write_manifest")
    judge("every guard in place", views, 5, lambda: None)
    judge(
        "no transaction",
        views,
        len(read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging"))
        + 5,  # after those of an empty warehouse
        without("regulars.warehouse.duckdb.DuckDBWarehouse.transaction", lambda _: nullcontext()),
    )
    judge("manifest first", placed, 5, without("regulars.manifest.commit_batch", _manifest_first))
    judge("unfinished batches stay", renamed, 5, without("regulars.storage.FolderStorage.delete_tree", lambda *_: None))
    judge("spools stay", manifest, 5, without("regulars.spool.clear_spool", lambda _: None))
    judge(
        "loaded batches are unknown",
        None,
        0,
        without("regulars.warehouse.duckdb.DuckDBWarehouse.known_batches", lambda *_: set()),
    )


def faults(bench: Bench, seen: Seen) -> None:
    """A handful of every campaign's faults, so that the kinds themselves are run by every `make test`."""
    for kind, numbers in {"kill-stages": (4,), "disk-full": (1,), "failing-calls": (0,)}.items():
        for fault in KINDS[kind](bench, 200):
            if fault.number in numbers:
                outcome = bench.carry_out(replace(fault, scenario="first-day"))
                seen[f"fault {kind} {fault.number}"] = [
                    *facts(outcome.findings),
                    ["status", outcome.status, outcome.note],
                ]
            if fault.number >= max(numbers):
                break


def _manifest_first(storage: Any, manifest: Any, files: Any) -> None:
    from regulars.manifest import write_manifest

    write_manifest(storage, manifest)
    for name, path in files.items():
        storage.put_file(path, f"{manifest.folder}/{name}")


def facts(findings: list[Finding]) -> list[list[str]]:
    return [[finding.check, finding.text] for finding in findings]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""The search itself: a mark that is planted is found, in every form and in every kind of place."""

from __future__ import annotations

import base64
import subprocess
import sys
import urllib.parse
import zipfile
from pathlib import Path

import duckdb
import pytest

from tests.integration.privacy.canaries import EVERYTHING, PERSONAL, SECRETS, Search, process_texts

SEARCH = Search(EVERYTHING)
MARK = SECRETS["pgpassword"]


@pytest.mark.parametrize("mark", EVERYTHING.values())
def test_every_form_of_a_mark_is_found(mark: str) -> None:
    name = next(name for name, value in EVERYTHING.items() if value == mark)
    plain = mark.encode()
    for around in (b"", b"x", b"xy", b"user:"):
        assert name in SEARCH.in_bytes(base64.b64encode(around + plain + b"@host/db"))
        assert name in SEARCH.in_bytes(base64.urlsafe_b64encode(around + plain))
    for text in (mark, mark.upper(), mark.capitalize(), plain.hex(), plain.hex().upper(), urllib.parse.quote(mark)):
        assert name in SEARCH.in_text(f"some {text} text"), text
    assert name in SEARCH.in_bytes(mark.encode("utf-16-le"))
    assert name in SEARCH.in_text("".join(f"%{byte:02X}" for byte in plain))
    assert SEARCH.in_text("nothing of the kind") == set()


def test_marks_in_packed_files_are_found(tmp_path: Path) -> None:
    rows = [(f"value {n}", MARK if n == 4000 else "x" * 20) for n in range(5000)]
    for name in ("published.duckdb", "views.duckdb"):
        with duckdb.connect(str(tmp_path / name)) as made:
            made.execute("create schema marts; create table marts.things (a varchar, b varchar)")
            if name.startswith("published"):
                made.executemany("insert into marts.things values (?, ?)", rows)
            else:
                made.execute(f"create view marts.seen as select '{MARK}' as b")
    assert SEARCH.in_database(tmp_path / "published.duckdb")["marts.things"] == {"pgpassword"}
    assert SEARCH.in_database(tmp_path / "views.duckdb")["views"] == {"pgpassword"}
    duckdb.sql(f"copy (select '{MARK}' as a from range(9)) to '{tmp_path}/part.parquet' (compression zstd)")
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("sheet.xml", MARK * 3)
    (tmp_path / f"{MARK}.txt").write_text("")
    (tmp_path / "clean.txt").write_text("clean")
    assert set(SEARCH.in_folder(tmp_path)) == {
        "published.duckdb", "views.duckdb", "part.parquet", "book.xlsx", f"{MARK}.txt"
    }  # fmt: skip
    assert "part.parquet" not in SEARCH.in_folder(tmp_path, but=["part.parquet"])


def test_marks_on_a_chain_of_exceptions_are_found() -> None:
    def fail() -> None:
        try:
            raise ValueError(PERSONAL["email"])
        except ValueError:
            raise RuntimeError("said otherwise") from None

    with pytest.raises(RuntimeError) as caught:
        fail()
    assert SEARCH.in_error(caught.value) == {"email"}, "a context is kept though it is not shown"
    caught.value.__context__ = None
    assert SEARCH.in_error(caught.value) == set()
    caught.value.add_note(MARK)
    assert SEARCH.in_error(caught.value) == {"pgpassword"}


def test_a_mark_on_a_command_line_is_found() -> None:
    command = [sys.executable, "-c", "print(flush=True); input()", MARK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # a process that was just started may not show its command line yet
        assert "pgpassword" in SEARCH.in_text(process_texts())
        process.communicate(b"\n")

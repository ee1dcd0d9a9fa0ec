"""The embedded server: started once by many, found again, recovered after kills, gone after a stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psycopg
import pytest

from regulars.engine import load_extension
from regulars.errors import ConfigError, TransientError
from regulars.postgres.cluster import socket_folder
from regulars.postgres.process import is_postgres
from regulars.postgres.server import ensure_database, running_server, start_server, stop_server

START = """
import sys
from pathlib import Path
from regulars.postgres.server import start_server
print(start_server(Path(sys.argv[1])).pid)
"""


@pytest.fixture(params=["short", "deep"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A home whose data folder can hold the socket, and one whose path is too long and too odd for it."""
    home = tmp_path / "h" if request.param == "short" else tmp_path / ("with space " + "d" * 90) / "h"
    yield home
    stop_server(home)


def count(uri: str, table: str) -> int:
    with psycopg.connect(uri) as connection:
        return int(connection.execute(f"select count(*) from {table}").fetchall()[0][0])


def test_start_use_stop(home: Path) -> None:
    server = start_server(home)
    assert start_server(home) == server
    assert running_server(home) == server
    uri = server.ensure_database("dw_a")
    assert server.ensure_database("dw_a") == uri
    with psycopg.connect(uri) as connection:
        connection.execute("create table t as select generate_series(1, 5) as n")
    engine = duckdb.connect()
    load_extension(engine, "postgres_scanner")
    engine.execute(f"attach '{uri}' as source (type postgres, read_only)")
    assert engine.execute("select sum(n) from source.public.t").fetchall() == [(15,)]
    engine.close()
    assert stop_server(home) is True
    assert not is_postgres(server.pid)
    assert running_server(home) is None
    assert stop_server(home) is False
    assert not (socket_folder(home / "postgres") / ".s.PGSQL.5432").exists()
    assert start_server(home).pid != server.pid
    assert count(uri, "t") == 5


def test_committed_rows_survive_a_kill(home: Path) -> None:
    server = start_server(home)
    uri = server.ensure_database("dw_b")
    with psycopg.connect(uri) as connection:
        connection.execute("create table t as select generate_series(1, 1000) as n")
    os.kill(server.pid, signal.SIGKILL)
    again = start_server(home)
    assert again.pid != server.pid
    assert count(uri, "t") == 1000


def test_a_number_that_another_program_has_now_is_not_taken_for_the_server(tmp_path: Path) -> None:
    home = tmp_path / "h"
    server = start_server(home)
    os.kill(server.pid, signal.SIGKILL)
    lock = home / "postgres" / "postmaster.pid"
    lock.write_text(lock.read_text().replace(str(server.pid), str(os.getpid()), 1))
    try:
        assert running_server(home) is None
        assert start_server(home).pid != server.pid
    finally:
        stop_server(home)


def test_many_processes_start_one_server(tmp_path: Path) -> None:
    home = tmp_path / "h"
    try:
        starters = [
            subprocess.Popen([sys.executable, "-c", START, str(home)], stdout=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        found = {starter.communicate(timeout=120)[0].strip() for starter in starters}
        assert found == {str(start_server(home).pid)}, "the server outlives its starters"
    finally:
        stop_server(home)


def test_a_killed_first_start_leaves_nothing_half_made(tmp_path: Path) -> None:
    home = tmp_path / "h"
    leftover = home / ".postgres-new-killed"
    leftover.mkdir(parents=True)
    (leftover / "PG_VERSION").write_text("18\n")
    try:
        start_server(home)
        assert not leftover.exists()
    finally:
        stop_server(home)


def test_data_deleted_under_a_running_server(home: Path) -> None:
    old = start_server(home)
    shutil.rmtree(home / "postgres")
    new = start_server(home)
    assert new.pid != old.pid
    assert count(new.uri(), "pg_database") >= 3
    if is_postgres(old.pid):  # it ends by itself within a minute once it sees that its folder is gone
        os.kill(old.pid, signal.SIGQUIT)


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "h" / "postgres").mkdir(parents=True)
    (tmp_path / "h" / "postgres" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not a PostgreSQL folder"):
        start_server(tmp_path / "h")
    with pytest.raises(TransientError, match="does not answer"):
        ensure_database(f"postgresql://postgres@/postgres?host={tmp_path}", "dw_a")
    with pytest.raises(ConfigError, match="database name"):
        ensure_database("postgresql://postgres@/postgres", "dw a; drop")
    assert stop_server(tmp_path / "never made") is False

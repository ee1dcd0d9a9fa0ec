"""A PostgreSQL that keeps its connections and sends nothing more is given up after a time, wherever it falls silent."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chaos.proxy import Breakage, read_report
from regulars.contracts import Column
from regulars.errors import ConfigError, TransientError
from regulars.landing import land
from regulars.postgres.server import start_server, stop_server
from regulars.sources.config import Connection
from regulars.sources.postgres_session import shared_snapshot
from regulars.transfer import transfer

PROJECT_DIR = Path(__file__).parents[3]
SILENT = {"silence_timeout_seconds": 1}
COLUMNS = {"id": "id", "email": "mail"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    address = start_server(home).uri()
    with psycopg.connect(address, autocommit=True) as session:
        session.execute(
            "create table few as select 1 as id, 'a' as mail; "
            "create table many as select n as id, repeat('x', 60) as mail from generate_series(1, 300000) n; analyze"
        )
    yield address
    stop_server(home)


@contextmanager
def _through(url: str, folder: Path, breakage: Breakage) -> Iterator[tuple[str, Path]]:
    """The database's address through a proxy that breaks it, and the proxy's report."""
    parts = conninfo_to_dict(url)
    upstream = f"{parts['host']}/.s.PGSQL.{parts.get('port') or 5432}"
    report = folder / "proxy.json"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, number = listener.getsockname()[1], listener.fileno()
        serve = f"Proxy({upstream!r}, {breakage!r}, Path({str(report)!r})).serve(socket.socket(fileno={number}))"
        script = f"import socket; from pathlib import Path; from chaos.proxy import Breakage, Proxy; {serve}"
        proxy = subprocess.Popen([sys.executable, "-c", script], pass_fds=[number], cwd=PROJECT_DIR)
    try:
        yield make_conninfo(url, host="127.0.0.1", port=port, sslmode="disable", connect_timeout=2), report
    finally:
        proxy.kill()
        proxy.wait()


def _land(place, url: str, options, **entry):
    contract = place.contract(on_drift="evolve", duplicates="keep")
    sources = place.sources(Connection(kind="postgres", url=url, options=options), **entry)
    return land(contract, sources, place.settings, place.run()).manifest


# Of all bytes of a landing: few rows are nearly all questions before the reading, many nearly all the reading itself.
@pytest.mark.parametrize(("table", "share"), [("few", 0.2), ("few", 0.4), ("few", 0.6), ("many", 0.3), ("many", 0.9)])
def test_a_source_that_falls_silent_ends_the_landing(
    place, make_place, url: str, tmp_path: Path, table: str, share: float
) -> None:
    with _through(url, tmp_path, Breakage()) as (address, report):
        whole = _land(make_place(), address, SILENT, table=table, columns=COLUMNS)
        total = read_report(report)["down"]
    with _through(url, tmp_path, Breakage("blackhole", int(total * share))) as (address, report):
        began = time.monotonic()
        with pytest.raises(TransientError) as caught:
            _land(place, address, SILENT, table=table, columns=COLUMNS)
        assert time.monotonic() - began < 20
        assert read_report(report)["struck"]
    assert "place: table people: the server kept the connection and sent nothing for 1 seconds" in str(caught.value)
    assert "run again" in str(caught.value.remedy)
    assert _land(place, url, SILENT, table=table, columns=COLUMNS).rows_read == whole.rows_read


def test_a_server_that_falls_silent_over_the_digests_of_a_transfer(place, url: str, tmp_path: Path) -> None:
    """No byte comes while it adds them up, which takes it longer than it may."""
    slow = "create or replace view slow as select id, mail, id::bigint as row_digest from few, lateral (select pg_sleep(8)) as s"
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(slow)
    digest = Column(name="row_digest", data_type="bigint", description="digest")
    contract = place.contract(columns=(*place.contract().columns[:2], digest))
    with _through(url, tmp_path, Breakage()) as (address, _):
        connection = Connection(kind="postgres", url=address, options=SILENT)
        sources = place.sources(connection, table="slow", columns={"id": "id", "email": "mail"})
        began = time.monotonic()
        with pytest.raises(TransientError, match="place: table people: the server kept the connection"):
            transfer(contract, sources, place.settings, place.run())
        assert time.monotonic() - began < 7  # before it said the sum, not after


def test_a_snapshot_that_is_never_lent_is_given_up(url: str, tmp_path: Path) -> None:
    with _through(url, tmp_path, Breakage("blackhole", 450)) as (address, _), pytest.raises(TransientError):
        shared_snapshot(Connection(kind="postgres", url=address, options=SILENT)).__enter__()


def test_a_held_snapshot_may_be_silent(url: str, tmp_path: Path) -> None:
    with _through(url, tmp_path, Breakage()) as (address, _):
        connection = Connection(kind="postgres", url=address, options=SILENT)
        with shared_snapshot(connection) as snapshot:
            time.sleep(2)
            assert snapshot


def test_a_slow_source_is_not_a_silent_one(place, url: str, tmp_path: Path) -> None:
    """Three seconds in all, in a trickle."""
    with _through(url, tmp_path, Breakage("trickle", 8_000_000 - 300_000)) as (address, _):
        began = time.monotonic()
        where = "id <= 100000"
        assert _land(place, address, SILENT, table="many", columns=COLUMNS, source_where=where).rows_read == 100_000
        assert time.monotonic() - began > 1


def test_a_query_that_thinks_longer_names_the_option(place, make_place, url: str, tmp_path: Path) -> None:
    query = "select 1 as id, pg_sleep(2.5)::text as email"
    with _through(url, tmp_path, Breakage()) as (address, _):
        with pytest.raises(TransientError, match="sent nothing for 1 seconds") as caught:
            _land(place, address, SILENT, query=query)
        assert "silence_timeout_seconds" in str(caught.value.remedy)
        for seconds in (0, 30):
            options = {"silence_timeout_seconds": seconds}
            assert _land(make_place(), address, options, query=query).rows_read == 1


@pytest.mark.parametrize("given", ["soon", -1, "nan", "inf"])
def test_the_option_must_be_seconds(place, url: str, given: object) -> None:
    with pytest.raises(ConfigError, match="silence_timeout_seconds"):
        _land(place, url, {"silence_timeout_seconds": given}, table="few", columns=COLUMNS)

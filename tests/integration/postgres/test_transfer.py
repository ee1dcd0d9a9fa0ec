"""The transfer of a staged table into the landing, from a real PostgreSQL."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from regulars import typed_pieces
from regulars.contracts import Contract
from regulars.errors import SourceError
from regulars.manifest import Manifest
from regulars.postgres.server import start_server, stop_server
from regulars.run import Run
from regulars.settings import PROJECT_DIR, Settings
from regulars.sources import postgres
from regulars.sources.config import Sources, read_sources
from regulars.sources.postgres_session import shared_snapshot, with_snapshot
from regulars.transfer import transfer

AS_OF = date(2026, 1, 5)
RUN = Run("run-1", "customer-engagement", AS_OF, datetime(2026, 1, 6, 6))
CONTRACT = Contract(
    source="operations", table="customer_engagement", description="Engagement.", mode="snapshot", owner="operations",
    key=("client_id", "period_starts_on"),
    columns=[
        {"name": "client_id", "data_type": "varchar", "description": "Client.", "required": True},
        {"name": "period_starts_on", "data_type": "date", "description": "Month."},
        {"name": "spend_amount", "data_type": "decimal(18,2)", "description": "Spend."},
        {"name": "session_count", "data_type": "bigint", "description": "Sessions."},
        {"name": "row_digest", "data_type": "bigint", "description": "Digest."},
    ],
)  # fmt: skip
ROWS = 400_000  # 3,000 pages, so that there are several pieces


def digest_macro(*columns: str) -> str:
    """The SQL of the dbt macro, rendered as dbt would."""
    from jinja2 import Environment

    text = (PROJECT_DIR / "dbt" / "operational" / "macros" / "row_digest.sql").read_text()
    return str(Environment().from_string(text).module.row_digest(columns))  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("transfer")
    yield home
    stop_server(home)


@pytest.fixture
def store(home: Path, request: pytest.FixtureRequest) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    url = start_server(home).ensure_database(f"t_{abs(hash(request.node.name)) % 10**8}")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection, url


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, home=tmp_path / "home", pseudonym_key="test")


def sources_of(folder: Path, url: str) -> Sources:
    path = folder / "sources.yml"
    path.write_text(
        f'connections:\n  store: {{kind: postgres, url: "{url}"}}\ntables:\n'
        "  customer_engagement: {from: store, table: public.staged}\n"
    )
    return read_sources(path, {CONTRACT.table: CONTRACT})


def stage(connection: psycopg.Connection[Any], rows: int, spend: str = "i % 1000 + 0.5") -> None:
    columns = [name for name in CONTRACT.by_name if name != "row_digest"]
    connection.execute("drop table if exists public.staged")
    connection.execute(
        f"""create table public.staged as select *, {digest_macro(*columns)} as row_digest from (
        select case when i % 7 = 0 then 'Bøhm, "' || i || E'"\\n' else 'C' || i end as client_id, date '2020-01-01' + i %% 900 as period_starts_on,
        cast({spend} as numeric(18,2)) as spend_amount, nullif(i % 50, 0)::bigint as session_count from generate_series(1, {rows}) as g(i)) as t
        """.replace("%%", "%")
    )  # fmt: skip


def landed_sum(manifest: Manifest, settings: Settings) -> tuple[Any, ...] | None:
    return duckdb.execute(
        f"select count(*), sum(spend_amount), sum(row_digest) from read_parquet('{settings.landing_root}/{manifest.folder}/part-*.parquet')"
    ).fetchone()


def left_sum(connection: psycopg.Connection[Any]) -> tuple[Any, ...] | None:
    return connection.execute("select count(*), sum(spend_amount), sum(row_digest) from staged").fetchone()


def test_every_kind_of_value_arrives_as_it_left(
    store: tuple[psycopg.Connection[Any], str], settings: Settings, tmp_path: Path
) -> None:
    connection, url = store
    stage(connection, 5_000)
    landed = transfer(CONTRACT, sources_of(tmp_path, url), settings, RUN)
    assert landed.created and landed.manifest.rows_loaded == 5_000
    assert landed_sum(landed.manifest, settings) == left_sum(connection)


def test_nothing_is_moved_when_nothing_changed(
    store: tuple[psycopg.Connection[Any], str], settings: Settings, tmp_path: Path
) -> None:
    connection, url = store
    stage(connection, 1_000)
    sources = sources_of(tmp_path, url)
    first = transfer(CONTRACT, sources, settings, RUN)
    stage(connection, 1_000)  # made anew, with the same rows
    later = Run("run-2", RUN.flow, AS_OF + timedelta(days=1), RUN.started_at)
    again = transfer(CONTRACT, sources, settings, later)
    assert not again.created and again.manifest == first.manifest
    stage(connection, 1_000, spend="case when i = 500 then 9 else i % 1000 + 0.5 end")
    changed = transfer(CONTRACT, sources, settings, later)
    assert changed.created and changed.manifest.as_of == later.as_of


def test_a_change_of_how_rows_are_landed_is_a_change(
    store: tuple[psycopg.Connection[Any], str], settings: Settings, tmp_path: Path
) -> None:
    connection, url = store
    stage(connection, 1_000)
    sources = sources_of(tmp_path, url)
    transfer(CONTRACT, sources, settings, RUN)
    later = Run("run-2", RUN.flow, AS_OF + timedelta(days=1), RUN.started_at)
    entry = sources.tables[CONTRACT.table].model_copy(update={"where": "spend_amount < 100"})
    fewer = sources.model_copy(update={"tables": {CONTRACT.table: entry}})
    assert transfer(CONTRACT, fewer, settings, later, accept=True).manifest.rows_loaded < 1_000
    other = settings.model_copy(update={"timezone": "Europe/Berlin"})
    assert transfer(CONTRACT, fewer, other, Run("run-3", RUN.flow, AS_OF + timedelta(days=2), RUN.started_at)).created


def _transfer_without_pandas(settings: Settings, folder: Path, url: str) -> None:
    transfer(CONTRACT, sources_of(folder, url), settings, RUN)
    sys.exit("pandas" in sys.modules)


def test_a_transfer_without_a_column_to_hash_does_not_wait_for_pandas(
    store: tuple[psycopg.Connection[Any], str], settings: Settings, tmp_path: Path
) -> None:
    """DuckDB imports it to bind a value: a fifth of a second of each start."""
    connection, url = store
    stage(connection, 100)
    child = multiprocessing.get_context("spawn").Process(
        target=_transfer_without_pandas, args=(settings, tmp_path, url)
    )
    child.start()
    child.join(120)
    assert child.exitcode == 0


def _transfer_until(pieces: int, settings: Settings, folder: Path, url: str) -> None:
    """Dies by SIGKILL after so many pieces are typed."""
    type_piece, typed = typed_pieces._type_piece, []

    def counted(*arguments: Any) -> Any:
        if len(typed) >= pieces:
            os.kill(os.getpid(), signal.SIGKILL)
        typed.append(1)
        return type_piece(*arguments)

    typed_pieces._type_piece = counted
    transfer(CONTRACT, sources_of(folder, url), settings.model_copy(update={"threads": 1}), RUN)


def test_a_killed_transfer_goes_on_where_it_was(
    store: tuple[psycopg.Connection[Any], str], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, url = store
    stage(connection, ROWS)
    child = multiprocessing.get_context("spawn").Process(target=_transfer_until, args=(1, settings, tmp_path, url))
    child.start()
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    read: list[str] = []
    type_piece = typed_pieces._type_piece

    def counted(request: Any, piece: Any, *more: Any) -> Any:
        read.append(json.dumps(piece.position.get("pages")))
        return type_piece(request, piece, *more)

    monkeypatch.setattr(typed_pieces, "_type_piece", counted)
    landed = transfer(CONTRACT, sources_of(tmp_path, url), settings, RUN)
    pieces = [json.dumps(piece["pages"]) for piece in landed.manifest.position["pieces"]]
    assert len(pieces) > 1 and read == pieces[1:]  # the first one was there
    assert landed_sum(landed.manifest, settings) == left_sum(connection)
    assert not (settings.home_dir / "transfers" / CONTRACT.table).exists()


def test_a_kill_costs_pieces_of_four_megabytes(
    store: tuple[psycopg.Connection[Any], str], settings: Settings, tmp_path: Path
) -> None:
    connection, url = store
    stage(connection, ROWS)
    landed = transfer(CONTRACT, sources_of(tmp_path, url), settings, RUN)
    pages = [piece["pages"] for piece in landed.manifest.position["pieces"]]
    assert len(pages) > 4 and max(end - first for first, end in pages) == 512


@pytest.mark.parametrize("rows", [1_000, ROWS], ids=["one stream", "pieces"])
def test_the_state_and_the_rows_are_of_one_moment(
    rows: int, store: tuple[psycopg.Connection[Any], str], settings: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    connection, url = store
    stage(connection, rows)
    moment, attach = left_sum(connection), postgres.attach

    def attach_late(*given: Any) -> None:
        connection.execute("insert into staged select * from staged limit 3")
        attach(*given)

    monkeypatch.setattr(postgres, "attach", attach_late)
    sources = sources_of(tmp_path, url)
    first = transfer(CONTRACT, sources, settings, RUN)
    assert landed_sum(first.manifest, settings) == moment != left_sum(connection)
    monkeypatch.setattr(postgres, "attach", attach)
    later = transfer(CONTRACT, sources, settings, Run("run-2", RUN.flow, AS_OF + timedelta(days=1), RUN.started_at))
    assert later.created and later.manifest.rows_read == rows + 3


def test_a_snapshot_that_is_given_is_what_is_moved(
    store: tuple[psycopg.Connection[Any], str], settings: Settings, tmp_path: Path
) -> None:
    connection, url = store
    stage(connection, ROWS)
    sources, before = sources_of(tmp_path, url), left_sum(connection)
    with shared_snapshot(sources.connections["store"]) as snapshot:
        connection.execute("delete from staged where session_count = 7")
        landed = transfer(CONTRACT, with_snapshot(sources, "store", snapshot), settings, RUN)
    assert landed_sum(landed.manifest, settings) == before != left_sum(connection)


def test_a_source_that_changed_meanwhile_is_read_anew(
    store: tuple[psycopg.Connection[Any], str], settings: Settings, tmp_path: Path
) -> None:
    connection, url = store
    stage(connection, ROWS)
    child = multiprocessing.get_context("spawn").Process(target=_transfer_until, args=(1, settings, tmp_path, url))
    child.start()
    child.join(120)
    stage(connection, ROWS, spend="7")
    landed = transfer(CONTRACT, sources_of(tmp_path, url), settings, RUN)
    assert landed_sum(landed.manifest, settings) == left_sum(connection)


@pytest.mark.parametrize(
    "change", ["row_digest = null", "spend_amount = 9.99", "client_id = 'other'", "session_count = null"]
)
def test_a_row_that_does_not_arrive_as_it_left_is_found(
    store: tuple[psycopg.Connection[Any], str], settings: Settings, tmp_path: Path, change: str
) -> None:
    connection, url = store
    stage(connection, 1_000)
    connection.execute("alter table staged alter column spend_amount type numeric")
    connection.execute(f"update staged set {change} where client_id = 'C101'")
    with pytest.raises(SourceError, match="of 1000 rows that left 1000 arrived, 1 of them changed"):
        transfer(CONTRACT, sources_of(tmp_path, url), settings, RUN)
    assert not list(Path(settings.landing_root).rglob("manifest.json"))

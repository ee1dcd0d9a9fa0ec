"""Flow `ingest` on tables that Airbyte moves: from a real PostgreSQL to Parquet files, by a server that speaks its API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
import yaml
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client

from flows.commands.planning import plan_flow
from flows.ingest import ingest
from regulars.engine import load_extension
from regulars.errors import RegularsError
from regulars.postgres.server import start_server, stop_server
from tests.integration.flows.conftest import opened
from tests.integration.landing.airbyte_server import Server, Sync, airbyte_server

pytestmark = pytest.mark.timeout(300)
DAY = date(2026, 1, 10)
SYNC = "18dccc91-0ab1-4f72-9ed7-0b8fc27c5826"
TABLES = ["categories", "products"]
SHOP = """
create table categories (category_id text, updated_at timestamp);
create table products (product_id text, category_id text, updated_at timestamp);
insert into categories select 'C' || i, timestamp '2026-01-10 10:00' + i * interval '1 second' from generate_series(1, 500) as g(i);
insert into products select 'P' || i, 'C' || i % 500 + 1, timestamp '2026-01-10 11:00' from generate_series(1, 2000) as g(i);
"""
LEDGER = "select table_name, status, rows_read, rows_loaded, message from ops.ingestion_logs order by finished_at, 1, 2"
LANDED = "select count(*), min(category_id), max(category_id) from raw.categories where _batch_id in (select batch_id from ops.effective_batches)"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("shop")
    url = start_server(folder).ensure_database("shop")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SHOP)
    yield url
    stop_server(folder)


@pytest.fixture
def server(prefect_server: None, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """A current home whose shop is moved by a sync of that server into the folder `lake`; its login is in a Secret block."""
    with airbyte_server() as server:
        server.syncs[SYNC] = Sync(move=lambda: move(database, tmp_path / "lake"))
        Secret(value=server.credentials).save("airbyte", overwrite=True)
        monkeypatch.setenv("REGULARS_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("REGULARS_SOURCES", str(tmp_path / "sources.yml"))
        monkeypatch.setenv("REGULARS_PSEUDONYM_KEY", "test-key")
        airbyte = {"kind": "airbyte", "url": server.url, "credentials": "{{ prefect.blocks.secret.airbyte }}",
                   "options": {"poll_seconds": 0.05}}  # fmt: skip
        sources = {
            "connections": {"airbyte": airbyte, "lake": {"kind": "files", "path": str(tmp_path / "lake")}},
            "tables": {
                table: {"from": "lake", "path": f"{table}/*.parquet", "mover": "airbyte", "sync": SYNC}
                for table in TABLES
            },
        }
        (tmp_path / "sources.yml").write_text(yaml.safe_dump(sources))
        yield server


def move(url: str, lake: Path) -> int:
    """What Airbyte does: every stream anew, with columns of its own."""
    rows = 0
    with duckdb.connect() as engine:
        load_extension(engine, "postgres_scanner")
        engine.execute(f"attach '{url}' as shop (type postgres, read_only)")
        for table in TABLES:
            (lake / table).mkdir(parents=True, exist_ok=True)
            columns = "uuid()::varchar as _airbyte_raw_id, now() as _airbyte_extracted_at, 0 as _airbyte_generation_id"
            written = engine.execute(
                f"copy (select {columns}, * from shop.public.{table}) to '{lake / table}/0.parquet' (format parquet)"
            ).fetchone()
            rows += int(written[0]) if written else 0
    return rows


def found(home: Path, query: str) -> list[tuple[Any, ...]]:
    with opened(home) as warehouse:
        return [tuple(row) for row in warehouse.query(query)]


def test_tables_are_moved_by_one_job_landed_and_left_alone_until_refreshed(
    server: Server, database: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    steps = plan_flow("ingest", DAY, {"tables": TABLES})
    assert [step["stage"] for step in steps] == ["move", "land", "move", "land", "gate"]
    assert SYNC in steps[0]["what"] and "cannot be read now" in steps[1]["what"] and server.asked == []

    ingest(DAY, tables=TABLES)
    rows = found(home, LEDGER)
    [moved] = [row for row in rows if row[1] == "moved"]
    assert moved[2:] == (2500, None, f"job 1 of airbyte, sync {SYNC}"), (
        "two tables share one job, which is counted once"
    )
    assert {row[:4] for row in rows if row[1] == "loaded"} == {
        ("categories", "loaded", 500, 500),
        ("products", "loaded", 2000, 2000),
    }
    with psycopg.connect(database) as connection:
        left = connection.execute("select count(*), min(category_id), max(category_id) from categories").fetchall()
    assert found(home, LANDED) == left
    assert _progress(f"move-{moved[0]}") == 100

    ingest(DAY, tables=TABLES)
    assert len(server.jobs) == 1, "a day that is landed is not moved again"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("insert into categories values ('C0', timestamp '2026-01-10 12:00')")
    ingest(DAY, tables=["categories"], refresh=True)
    assert len(server.jobs) == 2
    assert found(home, LANDED) == [(501, "C0", "C99")]


def test_a_failed_job_fails_the_tables_that_wait_for_it_and_nothing_is_landed(server: Server, tmp_path: Path) -> None:
    server.syncs[SYNC].states = ("pending", "incomplete", "failed")
    server.syncs[SYNC].failure = "The table products is gone"
    with pytest.raises(RegularsError, match="job 1 failed: source: The table products is gone") as failed:
        ingest(DAY, tables=TABLES)
    assert server.secret not in str(failed.value)
    assert len(server.jobs) == 1
    rows = found(tmp_path / "home", LEDGER)
    assert {row[:2] for row in rows} == {("categories", "failed"), ("products", "failed")}
    assert not list((tmp_path / "home" / "landing").rglob("manifest.json"))


def _progress(key: str) -> float:
    with get_client(sync_client=True) as client:
        asked = {"artifacts": {"key": {"any_": [key]}}}
        return float(client._client.post("/artifacts/latest/filter", json=asked).json()[0]["data"])

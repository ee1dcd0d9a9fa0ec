"""DuckDBWarehouse: loading, the ledger, publishing and being alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from regulars.batches import Batch
from regulars.build_state import drop_leftovers
from regulars.contracts import Contract
from regulars.errors import ConfigError, TransientError
from regulars.manifest import Manifest, Part, Verdict, batch_folder, write_manifest
from regulars.run import Run
from regulars.run_days import BuildDays, chunk_days, days_to_build, forget_built, remember_built
from regulars.settings import Settings
from regulars.stages import Stage
from regulars.storage import FolderStorage
from regulars.warehouse import open_warehouse
from regulars.warehouse.base import Warehouse
from regulars.warehouse.duckdb_publish import read_published

DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 6, 6)
RUN = Run("run-1", "ingest", DAY, NOW)
MARTS, SEGMENTS = (Stage(name, ("orders",), (), (), states_per_day=True) for name in ("loyalty", "segments"))


def contract(table: str) -> Contract:
    columns = [
        {"name": "order_id", "data_type": "varchar", "description": "Key.", "required": True},
        {"name": "amount", "data_type": "decimal(12,2)", "description": "Amount."},
    ]
    return Contract(
        source="shop",
        table=table,
        description="Orders.",
        columns=columns,
        mode="snapshot",
        key=("order_id",),
        owner="sales",
    )


ORDERS = contract("orders")
CONTRACTS = {table: contract(table) for table in ("orders", "refunds", "visits", "calls")}


def land(settings: Settings, table: str, day: date, rows: int, revision: int = 1, status: str = "accepted") -> Manifest:
    """A landed batch of `rows` good rows and one reject, as landing leaves it."""
    storage = FolderStorage(settings.home_dir / "landing")
    batch = Batch(table, day, revision, "full", f"{rows}-{revision}")
    folder = settings.home_dir / "landing" / batch_folder(table, day, batch.batch_id)
    folder.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select 'o' || i as order_id, i::decimal(12,2) as amount, null::bigint as _record_number from range({rows}) t(i)) "
            f"to '{folder}/part-0000.parquet'"
        )
        connection.execute(
            "copy (select 'orders.csv' as source, 9::bigint as record_number, null::bigint as byte_offset, 'type' as rule, "
            f"'amount is not a decimal' as reason, '{{}}' as raw) to '{folder}/rejects-0000.parquet'"
        )
    part = Part(name="part-0000.parquet", source="orders.csv", rows=rows, bytes=1, sha256="x")
    manifest = Manifest(
        table=table, as_of=day, revision=revision, scope="full", content=batch.content, batch_id=batch.batch_id, parts=(part,),
        rejects=(part.model_copy(update={"name": "rejects-0000.parquet", "rows": 1}),), rows_read=rows + 1, rows_loaded=rows,
        rows_quarantined=1, columns=ORDERS.landed_columns, contract="c", settings="s", code_version="v", landed_at=NOW,
        verdict=Verdict(status=status),
    )  # fmt: skip
    write_manifest(storage, manifest)
    return manifest


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Warehouse]:
    with open_warehouse(settings) as opened:
        opened.prepare(CONTRACTS)
        yield opened


def test_a_table_without_a_batch_is_empty_and_typed(warehouse: Warehouse) -> None:
    found = warehouse.arrow("select * from raw.orders")
    assert found.num_rows == 0
    assert [str(field.type) for field in found.schema][:2] == ["string", "decimal128(12, 2)"]
    assert found.schema.names == ["order_id", "amount", "_record_number", "_as_of", "_batch_id"]


def test_a_warehouse_killed_while_it_was_made_is_made_whole(settings: Settings) -> None:
    """Whatever was said to the engine last before the process died, the next run can open the warehouse."""
    killed = 0
    for statements in range(1, 90):
        settings.warehouse_path.unlink(missing_ok=True)
        settings.warehouse_path.with_name(settings.warehouse_path.name + ".wal").unlink(missing_ok=True)
        child = multiprocessing.get_context("fork").Process(target=die_while_preparing, args=(settings, statements))
        child.start()
        child.join(30)
        killed += child.exitcode == -signal.SIGKILL
        with open_warehouse(settings) as again:
            again.prepare(CONTRACTS)
            assert again.query("select count(*) from quarantine.rows") == [(0,)]
            for table in CONTRACTS:
                assert again.query(f"select count(*) from raw.{table}") == [(0,)]
        if child.exitcode == 0:
            break
    assert killed > 20, "it was killed after every statement"
    assert child.exitcode == 0, "and once let through"


def die_while_preparing(settings: Settings, statements: int) -> None:
    with open_warehouse(settings) as warehouse:
        said = warehouse.execute

        def execute(sql: str, parameters: Sequence[Any] = ()) -> None:
            nonlocal statements
            said(sql, parameters)
            statements -= 1
            if not statements:
                os.kill(os.getpid(), signal.SIGKILL)

        warehouse.execute = execute  # type: ignore[method-assign]
        warehouse.prepare(CONTRACTS)
    os._exit(0)  # what the parent registered for its own end is none of the child's


def test_loading_shows_rows_rejects_and_ledger_together_and_once(settings: Settings, warehouse: Warehouse) -> None:
    manifest = land(settings, "orders", DAY, 3)
    assert warehouse.load(ORDERS, [manifest], RUN, NOW).new == (manifest,)
    assert warehouse.load(ORDERS, [manifest], RUN, NOW).new == ()
    assert warehouse.query("select order_id, _record_number, _as_of, _batch_id from raw.orders order by 1") == [
        ("o0", 1, DAY, manifest.batch_id), ("o1", 2, DAY, manifest.batch_id), ("o2", 3, DAY, manifest.batch_id),
    ]  # fmt: skip
    assert warehouse.query(
        "select table_name, as_of, rule, record_number, quarantined_at, replayed_at from quarantine.rows"
    ) == [("orders", DAY, "type", 9, NOW, None)]
    assert warehouse.query("select status, rows_read, rows_loaded, rows_quarantined from ops.ingestion_logs") == [
        ("loaded", 4, 3, 1)
    ]


def test_a_blocked_batch_stays_out(settings: Settings, warehouse: Warehouse) -> None:
    assert warehouse.load(ORDERS, [land(settings, "orders", DAY, 3, status="blocked")], RUN, NOW).new == ()
    assert warehouse.query("select count(*) from raw.orders") == [(0,)]


def test_a_failed_load_leaves_nothing(settings: Settings, warehouse: Warehouse) -> None:
    manifest = land(settings, "orders", DAY, 3)
    (settings.home_dir / "landing" / manifest.folder / "part-0000.parquet").unlink()
    with pytest.raises(duckdb.Error):
        warehouse.load(ORDERS, [manifest], RUN, NOW)
    assert warehouse.query("select count(*) from ops.ingestion_logs") == [(0,)]
    assert warehouse.query("select count(*) from raw.orders") == [(0,)]


def test_tables_load_side_by_side(settings: Settings, warehouse: Warehouse) -> None:
    manifests = {table: [land(settings, table, DAY + timedelta(days=n), 5) for n in range(6)] for table in CONTRACTS}

    def load(table: str) -> int:
        return sum(len(warehouse.load(CONTRACTS[table], [manifest], RUN, NOW).new) for manifest in manifests[table])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(load, CONTRACTS)) == [6, 6, 6, 6]
    assert warehouse.query("select count(*), count(distinct batch_id) from ops.ingestion_logs") == [(24, 24)]
    for table in CONTRACTS:
        assert warehouse.query(f"select count(*), count(distinct _batch_id) from raw.{table}") == [(30, 6)]


def test_publishing_replaces_whole_schemas_at_once(settings: Settings, warehouse: Warehouse) -> None:
    warehouse.execute("create table marts.sales as select 1 as id")
    warehouse.execute("create view marts.sales_view as select id + 1 as id from marts.sales")
    warehouse.publish(["marts", "ops"])
    warehouse.execute("insert into marts.sales values (2)")
    warehouse.execute("create table segments.loyal as select 7 as id")
    with read_published(settings.published_path) as reader:
        assert reader.query("select id from marts.sales") == [(1,)]
        assert reader.query("select id from marts.sales_view") == [(2,)]
        assert reader.query("select count(*) from ops.effective_batches") == [(0,)]
    warehouse.publish(["segments"])
    with read_published(settings.published_path) as reader:
        assert reader.query("select id from marts.sales") == [(1,)], "marts were not asked for"
        assert reader.query("select id from segments.loyal") == [(7,)]
    schemas = {"marts", "ops", "segments", "main"}
    with read_published(settings.published_path) as reader:
        shown = {
            name
            for (name,) in reader.query(
                "select distinct schema_name from duckdb_tables() union select distinct schema_name from duckdb_views() where not internal"
            )
        }
    assert shown <= schemas


def test_a_failed_publication_leaves_the_old_one(settings: Settings, warehouse: Warehouse) -> None:
    warehouse.execute("create table marts.sales as select 1 as id")
    warehouse.publish(["marts"])
    warehouse.execute("create view marts.broken as select cast('x' as integer) as id from marts.sales")
    warehouse.execute("create table marts.broken_copy as select 1 as id")
    warehouse.execute("drop table marts.sales")
    with pytest.raises(duckdb.Error):
        warehouse.publish(["marts"])
    with read_published(settings.published_path) as reader:
        assert reader.query("select id from marts.sales") == [(1,)]
    assert sorted(path.name for path in settings.home_dir.glob("*published*")) == ["published.duckdb"]
    assert sorted(path.name for path in settings.home_dir.glob(".published*")) == []


def test_segments_published_alone_leave_marts_that_no_gate_has_passed(settings: Settings, warehouse: Warehouse) -> None:
    """Whichever file the draft begins with, each schema is of the publication that asked for it."""
    warehouse.execute("create table marts.sales as select range as id from range(100)")
    warehouse.execute("create table segments.loyal as select 7 as id")
    warehouse.execute("create view segments.shown as select count(*) as rows from marts.sales")
    warehouse.execute("create table intermediate.work as select 1 as id")
    warehouse.publish(["marts", "segments", "ops"])
    for rows, asked in ((5000, ["segments"]), (5000, ["marts", "ops"])):
        warehouse.execute(f"create or replace table marts.sales as select range as id from range({rows})")
        warehouse.execute("update segments.loyal set id = id + 1")
        warehouse.execute("create or replace view segments.shown as select count(*) + 0 as rows from marts.sales")
        before = published_state(settings)
        warehouse.publish(asked)
        after = published_state(settings)
        if asked == ["segments"]:
            assert after == {"sales": 100, "loyal": before["loyal"] + 1, "shown": 100, "schemas": before["schemas"]}
        else:
            assert after == {"sales": rows, "loyal": before["loyal"], "shown": rows, "schemas": before["schemas"]}
    assert before["schemas"] == ["marts", "ops", "segments"]


def published_state(settings: Settings) -> dict[str, Any]:
    with read_published(settings.published_path) as reader:
        ((sales, loyal, shown),) = reader.query(
            "select (select count(*) from marts.sales), (select id from segments.loyal), (select rows from segments.shown)"
        )
        schemas = (
            "select distinct schema_name from duckdb_schemas() where not internal and schema_name <> 'main' order by 1"
        )
        return {"sales": sales, "loyal": loyal, "shown": shown, "schemas": [name for (name,) in reader.query(schemas)]}


def test_the_warehouse_stays_locked_while_and_after_it_is_published(settings: Settings, warehouse: Warehouse) -> None:
    """POSIX takes all locks of a process on a file away when the process closes any descriptor of it."""
    warehouse.execute("create table marts.sales as select 1 as id")
    warehouse.publish(["marts", "ops"])
    program = f"import duckdb; duckdb.connect({str(settings.warehouse_path)!r})"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert other.returncode == 1 and "Could not set lock" in other.stderr


def test_another_process_waits_and_then_says_so(settings: Settings, warehouse: Warehouse) -> None:
    program = (
        "import sys; from regulars.settings import Settings; from regulars.warehouse import open_warehouse; from regulars.errors import TransientError\n"
        f"settings = Settings(_env_file=None, home={str(settings.home_dir)!r}, lock_timeout_seconds=1)\n"
        "try:\n    open_warehouse(settings).__enter__()\nexcept TransientError as error:\n    print(error); sys.exit(7)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 7, ended.stderr
    assert "another process has been writing" in ended.stdout


def test_the_zone_of_the_data_cannot_be_changed_by_a_setting(settings: Settings, warehouse: Warehouse) -> None:
    other = open_warehouse(settings.model_copy(update={"timezone": "Europe/Berlin"}))
    with other, pytest.raises(ConfigError, match="business days of UTC"):
        other.prepare(CONTRACTS)


def test_only_what_changed_is_built_again(settings: Settings, warehouse: Warehouse) -> None:
    days = [DAY + timedelta(days=n) for n in range(5)]
    for day in days[:3]:
        warehouse.load(ORDERS, [land(settings, "orders", day, 2)], RUN, NOW)
    assert days_to_build(warehouse, MARTS, days[2], chunk_days=2) == [
        BuildDays(days[0], days[1]),
        BuildDays(days[2], days[2]),
    ]
    remember_built(warehouse, MARTS)
    assert days_to_build(warehouse, MARTS, days[2], chunk_days=2) == [BuildDays(days[2], days[2])], (
        "nothing new: the newest day only"
    )
    assert days_to_build(warehouse, SEGMENTS, days[2], chunk_days=7) == [BuildDays(days[0], days[2])], (
        "stages remember apart"
    )
    warehouse.load(ORDERS, [land(settings, "orders", days[1], 4, revision=2)], RUN, NOW)
    assert days_to_build(warehouse, MARTS, days[1], chunk_days=7) == [BuildDays(days[1], days[2])], (
        "a revised day and what follows"
    )
    remember_built(warehouse, MARTS)
    assert days_to_build(warehouse, MARTS, days[4], chunk_days=7) == [BuildDays(days[4], days[4])], (
        "a day without a batch"
    )
    assert days_to_build(warehouse, MARTS, days[2], chunk_days=7, rebuild=True) == [BuildDays(days[0], days[2])]


def test_a_build_that_was_cut_off_goes_on_with_the_next_chunk(settings: Settings, warehouse: Warehouse) -> None:
    days = [DAY + timedelta(days=n) for n in range(4)]
    for day in days:
        warehouse.load(ORDERS, [land(settings, "orders", day, 2)], RUN, NOW)
    remember_built(warehouse, MARTS)
    forget_built(warehouse, MARTS)  # a rebuild begins
    first, second = days_to_build(warehouse, MARTS, days[3], chunk_days=2)
    remember_built(warehouse, MARTS, first.as_of)
    assert days_to_build(warehouse, MARTS, days[3], chunk_days=2) == [second]

    remember_built(warehouse, MARTS)
    warehouse.load(ORDERS, [land(settings, "orders", days[0], 4, revision=2)], RUN, NOW)
    remember_built(warehouse, MARTS, days[1])  # a revised day, of which only the first chunk was built
    assert days_to_build(warehouse, MARTS, days[3], chunk_days=2) == [second], (
        "days after it wait, though their batches are old"
    )


def test_a_lock_held_by_nobody_is_no_lock(settings: Settings) -> None:
    with open_warehouse(settings) as first:
        first.prepare(CONTRACTS)
    with open_warehouse(settings) as second:
        second.prepare(CONTRACTS)
    with pytest.raises(RuntimeError, match="outside"):
        second.query("select 1")
    assert issubclass(TransientError, Exception)


def test_what_dbt_renamed_a_model_from_goes_and_the_model_stays(warehouse: Warehouse) -> None:
    for name in ("days", "days__dbt_backup", "days__dbt_tmp"):
        warehouse.execute(f"create table marts.{name} as select 1 as one")
    warehouse.execute("create view staging.days__dbt_backup as select 1 as one")
    drop_leftovers(warehouse)
    assert warehouse.query("select table_name from information_schema.tables where table_name like 'days%'") == [
        ("days",)
    ]


def test_fewer_days_are_built_at_once_where_a_day_has_many_rows(settings: Settings, warehouse: Warehouse) -> None:
    assert chunk_days(warehouse, MARTS, settings) == settings.history_chunk_days, "nothing is landed yet"
    rows = [
        {
            "table_name": "orders",
            "batch_id": str(size),
            "as_of": DAY,
            "status": "loaded",
            "rows_loaded": size,
            "revision": 1,
        }
        for size in (10, 1_000_000)
    ]
    warehouse.record("ingestion_logs", rows[:1])
    assert chunk_days(warehouse, MARTS, settings) == settings.history_chunk_days
    warehouse.record("ingestion_logs", rows[1:])
    for limit, days in (("1GB", 1), ("4GB", 2), ("8000MB", 4), ("64GB", 7)):
        assert chunk_days(warehouse, MARTS, settings.model_copy(update={"memory_limit": limit})) == days

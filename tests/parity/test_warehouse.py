"""What a warehouse promises, asked of both engines in the same words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Literal

import duckdb
import emulator
import pytest
from pydantic import SecretStr

from regulars.batches import Batch
from regulars.contracts import Column, Contract
from regulars.engine import quote
from regulars.errors import ConfigError, RegularsError, TransientError
from regulars.manifest import Manifest, Part, batch_folder, write_manifest
from regulars.run import Run
from regulars.settings import Settings
from regulars.storage import FolderStorage
from regulars.warehouse import open_warehouse
from regulars.warehouse.published import read_published

pytestmark = pytest.mark.parity

DAY = date(2026, 1, 5)
NOW = datetime(2026, 1, 6, 6, 0, 0, 123456)
RUN = Run("run-1", "ingest", DAY, NOW)
ORDERS = Contract(
    source="shop",
    table="orders",
    description="Orders.",
    columns=[
        {"name": "order_id", "data_type": "varchar", "description": "Key.", "required": True},
        {"name": "amount", "data_type": "decimal(12,2)", "description": "Amount."},
        {"name": "pieces", "data_type": "bigint", "description": "Pieces."},
        {"name": "weight", "data_type": "double", "description": "Weight."},
        {"name": "is_paid", "data_type": "boolean", "description": "Paid."},
        {"name": "ordered_on", "data_type": "date", "description": "Day."},
        {"name": "ordered_at", "data_type": "timestamp", "description": "Moment."},
    ],
    mode="snapshot",
    key=("order_id",),
    owner="sales",
)
CONTRACTS = {"orders": ORDERS}
ROW = (
    "select 'o' || i as order_id, (i / 3)::decimal(12,2) as amount, i::bigint as pieces, i / 7.0::double as weight, "
    "i % 2 = 0 as is_paid, date '2026-01-05' + i::integer as ordered_on, "
    "timestamp '2026-01-05 23:59:59.999999' - i * interval 1 microsecond as ordered_at, null::bigint as _record_number "
    "from range({rows}) t(i) union all by name select 'empty' as order_id, 99::bigint as _record_number"
)


def land(settings: Settings, day: date, rows: int, revision: int = 1) -> Manifest:
    """A landed batch of `rows` good rows, one that is empty but for its key, and one reject."""
    storage = FolderStorage(settings.home_dir / "landing")
    batch = Batch("orders", day, revision, "full", f"{rows}-{revision}")
    folder = settings.home_dir / "landing" / batch_folder("orders", day, batch.batch_id)
    folder.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"copy ({ROW.format(rows=rows)}) to {quote(f'{folder}/part-0000.parquet')}")
        connection.execute(
            "copy (select 'orders.csv' as source, 9::bigint as record_number, null::bigint as byte_offset, 'type' as rule, "
            f"'amount is not a decimal' as reason, '{{\"a\": \"ü\"}}' as raw) to {quote(f'{folder}/rejects-0000.parquet')}"
        )
    part = Part(name="part-0000.parquet", source="orders.csv", rows=rows + 1, bytes=1, sha256="x")
    manifest = Manifest(
        table="orders", as_of=day, revision=revision, scope="full", content=batch.content, batch_id=batch.batch_id,
        parts=(part,), rejects=(part.model_copy(update={"name": "rejects-0000.parquet", "rows": 1}),), rows_read=rows + 2,
        rows_loaded=rows + 1, rows_quarantined=1, columns=ORDERS.landed_columns, contract="c", settings="s",
        code_version="v", landed_at=NOW,
    )  # fmt: skip
    write_manifest(storage, manifest)
    return manifest


def test_raw_holds_the_landed_rows_and_types(either: Settings) -> None:
    manifest = land(either, DAY, 4)
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        assert warehouse.query("select count(*) from raw.orders") == [(0,)]
        assert warehouse.load(ORDERS, [manifest], RUN, NOW).new == (manifest,)
        assert warehouse.load(ORDERS, [manifest], RUN, NOW).new == ()
        found = warehouse.query("select * from raw.orders order by _record_number")
        assert [row[0] for row in found] == ["o0", "o1", "o2", "o3", "empty"]
        with duckdb.connect() as connection:
            expected = connection.execute(ROW.format(rows=4)).fetchall()
        assert [row[:7] for row in found] == [row[:7] for row in expected]
        assert [row[7:] for row in found] == [(n, DAY, manifest.batch_id) for n in (1, 2, 3, 4, 99)]
        assert warehouse.query(
            "select batch_id, table_name, as_of, source, record_number, byte_offset, rule, reason, raw, quarantined_at, "
            'replayed_at from quarantine."ROWS"'
        ) == [
            (manifest.batch_id, "orders", DAY, "orders.csv", 9, None, "type", "amount is not a decimal", '{"a": "ü"}', NOW, None)
        ]  # fmt: skip
        assert warehouse.query("select status, rows_read, rows_loaded, started_at from ops.ingestion_logs") == [
            ("loaded", 6, 5, NOW)
        ]


def test_a_failed_load_leaves_nothing_and_a_rerun_loads_right(either: Settings) -> None:
    """COPY remembers what it loaded, also of a transaction that was rolled back: the ledger alone decides."""
    manifest = land(either, DAY, 4)
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)

        def refuse(table: str, rows: object) -> None:
            raise TransientError("the line was cut")

        kept, warehouse.record = warehouse.record, refuse  # type: ignore[method-assign]
        with pytest.raises(TransientError):
            warehouse.load(ORDERS, [manifest], RUN, NOW)
        warehouse.record = kept  # type: ignore[method-assign]
        assert warehouse.query("select count(*) from raw.orders") == [(0,)]
        assert warehouse.query("select count(*) from ops.ingestion_logs") == [(0,)]
        for _ in range(2):
            warehouse.load(ORDERS, [manifest], RUN, NOW)
        assert warehouse.query("select count(*), count(distinct order_id) from raw.orders") == [(5, 5)]
        warehouse.execute("delete from ops.ingestion_logs")  # as if it had never been loaded
        if either.warehouse == "snowflake":
            warehouse.execute("delete from raw.orders")
        warehouse.load(ORDERS, [manifest], RUN, NOW)
        assert warehouse.query("select count(*) from raw.orders") == [(5,)]


def test_records_of_a_file_may_be_counted_from_0(
    emulated: None, on_snowflake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulator, "FIRST_ROW", 0)
    with open_warehouse(on_snowflake) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.load(ORDERS, [land(on_snowflake, DAY, 3), land(on_snowflake, DAY, 2, revision=2)], RUN, NOW)
        found = warehouse.query("select _record_number from raw.orders order by _batch_id, _record_number")
        assert sorted(number for (number,) in found) == [1, 1, 2, 2, 3, 99, 99]
        assert warehouse.query('select count(*) from quarantine."ROWS"') == [(2,)]


def test_a_batch_that_is_not_what_its_manifest_says_stays_out(either: Settings) -> None:
    if either.warehouse == "duckdb":
        pytest.skip("DuckDB reads the landing itself, and counts it nowhere")
    manifest = land(either, DAY, 4)
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        with pytest.raises(RegularsError, match="5 rows were copied, the manifest names 7"):
            warehouse.load(ORDERS, [manifest.model_copy(update={"rows_loaded": 7})], RUN, NOW)
        assert warehouse.query("select count(*) from raw.orders") == [(0,)]


def test_tables_load_side_by_side(either: Settings) -> None:
    tables = {name: ORDERS.model_copy(update={"table": name}) for name in ("orders", "refunds", "visits")}
    manifest = land(either, DAY, 4)
    landing = either.home_dir / "landing"

    def load(name: str) -> int:
        batch = Batch(name, DAY, 1, "full", "x")
        copy = manifest.model_copy(update={"table": name, "content": "x", "batch_id": batch.batch_id})
        shutil.copytree(landing / manifest.folder, landing / copy.folder, dirs_exist_ok=True)
        return len(warehouse.load(tables[name], [copy], RUN, NOW).new)

    with open_warehouse(either) as warehouse:
        warehouse.prepare(tables)
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(load, tables)) == [1, 1, 1]
        for name in tables:
            assert warehouse.query(f"select count(*) from raw.{name}") == [(5,)]
        assert warehouse.query("select count(*) from ops.effective_batches") == [(3,)]


def test_retention_replaces_a_batch_in_one_step(either: Settings) -> None:
    old, new = land(either, DAY, 4), land(either, DAY, 2, revision=2)
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.load(ORDERS, [old], RUN, NOW)
        warehouse.execute("insert into ops.built_batches values ('loyalty', ?, 'orders', ?)", [old.batch_id, DAY])
        warehouse.unload(ORDERS, [old.batch_id], new, RUN, NOW)
        assert warehouse.query("select count(*), max(_batch_id) from raw.orders") == [(3, new.batch_id)]
        assert warehouse.query('select count(*), max(batch_id) from quarantine."ROWS"') == [(1, new.batch_id)]
        assert warehouse.query("select batch_id, status from ops.ingestion_logs order by status") == [
            (new.batch_id, "loaded"), (old.batch_id, "retired"),
        ]  # fmt: skip
        assert warehouse.query("select batch_id from ops.built_batches") == [(new.batch_id,)]
        assert warehouse.known_batches("orders") == {old.batch_id, new.batch_id}


def test_records_are_appended_replaced_and_not_repeated(either: Settings) -> None:
    row = {"table_name": "orders", "last_as_of": None, "age_days": None, "status": "never", "is_required": True,
           "as_of": DAY, "checked_at": NOW}  # fmt: skip
    other = row | {"table_name": "visits", "last_as_of": DAY, "age_days": 3, "is_required": False}
    key = ["table_name", "as_of"]
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.record("freshness", [row, other])
        warehouse.replace_records("freshness", key, [row | {"status": "fresh", "age_days": 0}])
        warehouse.record_missing("freshness", key, [other | {"status": "lost"}, other | {"table_name": "calls"}])
        assert warehouse.query("select * from ops.freshness order by table_name") == [
            ("calls", DAY, 3, "never", False, DAY, NOW),
            ("orders", None, 0, "fresh", True, DAY, NOW),
            ("visits", DAY, 3, "never", False, DAY, NOW),
        ]
        with pytest.raises(RegularsError), warehouse.transaction():
            warehouse.execute("delete from ops.freshness")
            raise RegularsError("no")
        assert warehouse.query("select count(*) from ops.freshness") == [(3,)]


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_what_is_exported_can_be_read_again(
    either: Settings, tmp_path: Path, format: Literal["csv", "parquet"]
) -> None:
    names = ["order_id", "amount"]
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.execute("create table marts.sold (order_id varchar, amount decimal(12,2))")
        warehouse.execute("insert into marts.sold values ('a\"b', 1.50), ('c,d', null), ('007', 2), ('', 3)")
        query = 'select order_id as "order_id", amount as "amount" from marts.sold order by sold.order_id'
        assert warehouse.export(query, tmp_path / f"full.{format}", format) == 4
        with warehouse.transaction():
            source = warehouse.import_file(tmp_path / f"full.{format}", names, format)
            found = warehouse.query(f"select order_id from {source} where order_id is not null order by 1")
        assert [name for (name,) in found if name] == ["007", 'a"b', "c,d"]
    with duckdb.connect() as reader:
        read = reader.execute(f"select * from '{tmp_path}/full.{format}'")
        assert [column[0] for column in read.description or []] == names
        assert [str(amount) for _, amount in read.fetchall() if amount is not None] in (
            ["3.00", "2.00", "1.50"], ["3.0", "2.0", "1.5"],
        )  # fmt: skip


def test_readers_see_what_was_published_and_nothing_newer(either: Settings) -> None:
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.execute("create table marts.sales as select 1 as id")
        warehouse.execute("create view marts.sales_view as select id + 1 as id from marts.sales")
        warehouse.publish(["marts", "ops"])
        warehouse.execute("insert into marts.sales values (2)")
        warehouse.execute("create table segments.loyal as select 7 as id")
        warehouse.load(ORDERS, [land(either, DAY, 4)], RUN, NOW)
    shown = "select (select count(*) from marts.sales), (select count(*) from marts.sales_view), (select count(*) from ops.effective_batches)"
    with read_published(either) as reader:
        assert reader.query(shown) == [(1, 1, 0)]
    with open_warehouse(either) as warehouse:
        warehouse.publish(["segments"])
    with read_published(either) as reader:
        assert reader.query(shown) == [(1, 1, 0)], "marts were not asked for"
        assert reader.table("select id from segments.loyal") == (["id"], [(7,)])
    with open_warehouse(either) as warehouse:
        warehouse.publish(["marts", "ops"])
    with read_published(either) as reader:
        assert reader.query(shown) == [(2, 2, 1)]


def plain(value: object) -> str:
    """A setting as its variable."""
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def test_one_run_writes_and_the_other_waits(either: Settings) -> None:
    """Another process, as a second deployment would be."""
    program = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from regulars.settings import load_settings; from regulars.warehouse import open_warehouse\n"
        "from regulars.errors import TransientError\n"
        "try:\n    open_warehouse(load_settings()).__enter__()\n"
        "except TransientError as error:\n    print(error); sys.exit(7)\n"
    )
    given = either.snowflake.model_dump(exclude_defaults=True)
    environment = os.environ | {
        "REGULARS_HOME": str(either.home_dir), "REGULARS_WAREHOUSE": either.warehouse, "REGULARS_LOCK_TIMEOUT_SECONDS": "1",
    } | {f"REGULARS_SNOWFLAKE__{name.upper()}": plain(value) for name, value in given.items()}  # fmt: skip
    run = partial(subprocess.run, [sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        ended = run(timeout=120)
        assert ended.returncode == 7, ended.stderr
        assert "been writing" in ended.stdout
        warehouse.record("built_models", [{"schema_name": "marts", "model": "m", "mark": "x"}])
    assert run(timeout=120).returncode == 0


def test_results_come_as_arrow_with_names_in_lower_case(either: Settings) -> None:
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.load(ORDERS, [land(either, DAY, 4)], RUN, NOW)
        found = warehouse.arrow("select order_id, ordered_on, pieces from raw.orders order by _record_number")
    assert found.column_names == ["order_id", "ordered_on", "pieces"]
    assert found.column("pieces").to_pylist() == [0, 1, 2, 3, None]
    assert found.column("ordered_on").to_pylist()[0] == DAY


def test_the_zone_of_the_data_cannot_be_changed_by_a_setting(either: Settings) -> None:
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
    other = open_warehouse(either.model_copy(update={"timezone": "Europe/Berlin"}))
    with other, pytest.raises(ConfigError, match="business days of UTC"):
        other.prepare(CONTRACTS)


def test_a_column_that_the_contract_gains_is_null_in_older_batches(either: Settings) -> None:
    if either.warehouse == "duckdb":
        pytest.skip("a landing of before and one of after are needed there: tests/integration/landing")
    wider = ORDERS.model_copy(
        update={"columns": (*ORDERS.columns, Column(name="note", data_type="varchar", description="Note."))}
    )
    manifest = land(either, DAY, 4)
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.prepare({"orders": wider})
        warehouse.load(wider, [manifest], RUN, NOW)
        assert warehouse.query("select count(*), count(note) from raw.orders") == [(5, 0)]

"""What a warehouse promises, asked of both engines in the same words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from regulars.batches import Batch
from regulars.contracts import Contract
from regulars.errors import RegularsError, TransientError
from regulars.manifest import Manifest, Part, batch_folder, write_manifest
from regulars.run import Run
from regulars.settings import Settings
from regulars.storage import FolderStorage
from regulars.warehouse import open_warehouse

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
        connection.execute(f"copy ({ROW.format(rows=rows)}) to '{folder}/part-0000.parquet'")
        connection.execute(
            "copy (select 'orders.csv' as source, 9::bigint as record_number, null::bigint as byte_offset, 'type' as rule, "
            f"'amount is not a decimal' as reason, '{{\"a\": \"ü\"}}' as raw) to '{folder}/rejects-0000.parquet'"
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

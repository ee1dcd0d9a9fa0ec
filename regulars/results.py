"""Results that are computed outside the engine, put back into it as tables of `ops` for models to build on."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.engine import identifier
from regulars.ledger import OPS_TABLES
from regulars.warehouse.base import Warehouse


def store_result(warehouse: Warehouse, table: str, rows: pa.Table) -> None:
    """Make `rows` all that `ops.<table>` holds, at once. Columns go by name and are cast to the table's types."""
    columns = OPS_TABLES[table]
    names = [name for name, _ in columns]
    listed = ", ".join(identifier(name) for name in names)
    casts = ", ".join(f"cast({identifier(name)} as {kind}) as {identifier(name)}" for name, kind in columns)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / f"{table}.parquet"
        pq.write_table(rows.select(names), path)
        imported = warehouse.import_file(path, names, "parquet")
        with warehouse.transaction():
            warehouse.execute(f"delete from ops.{table}")
            warehouse.execute(f"insert into ops.{table} ({listed}) select {casts} from {imported}")

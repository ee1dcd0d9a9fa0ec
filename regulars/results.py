"""Results that are computed outside the engine, put back into it as tables of `ops` for models to build on."""

from __future__ import annotations

import hashlib
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from regulars.engine import quote
from regulars.result_tables import RESULT_TABLES
from regulars.settings import Settings
from regulars.spool import open_spool
from regulars.warehouse.base import Warehouse


def store_result(
    warehouse: Warehouse, settings: Settings, table: str, rows: pa.Table, *, of_day: date | None = None
) -> None:
    """Make `rows` all that `ops.<table>` holds, at once; with `of_day`, all that it holds of that `as_of`.

    Columns go by name and are cast to the table's types. A digest of the rows is kept: models that are made from other rows
    are not left as they are (`build_state`).
    """
    columns = RESULT_TABLES[table]
    names = [name for name, _ in columns]
    casts = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in columns)
    with open_spool(settings) as spool:
        path = spool / f"{table}.parquet"
        pq.write_table(rows.select(names), path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:32]
        imported = warehouse.import_file(path, names, "parquet")
        with warehouse.transaction():
            # The engine's own names, never quoted: Snowflake keeps them in upper case.
            warehouse.execute(f"delete from ops.{table}" + (f" where as_of = date '{of_day}'" if of_day else ""))
            warehouse.execute(f"insert into ops.{table} ({', '.join(names)}) select {casts} from {imported}")
            warehouse.execute(f"delete from ops.stored_results where table_name = {quote(table)}")
            warehouse.record("stored_results", [{"table_name": table, "digest": digest}])

"""SQL of the views that show landing files as tables of `raw` and `quarantine` on DuckDB."""

from __future__ import annotations

from collections.abc import Sequence

from regulars.contracts import Contract
from regulars.engine import identifier, quote
from regulars.ledger import QUARANTINE_COLUMNS

# A landing file lies in <table>/as_of=<date>/<batch_id>/: the folder names say what the rows belong to, and DuckDB
# skips whole files when a query asks for some days only.
BATCH_OF_FILE = "split_part(filename, '/', -2)"


def raw_view(contract: Contract, files: Sequence[str]) -> str:
    """`raw.<table>`: every row of every loaded batch with `_record_number`, `_as_of` and `_batch_id`."""
    columns = contract.landed_columns
    if not files:
        typed = ", ".join(f"cast(null as {kind}) as {identifier(name)}" for name, kind in columns)
        marks = (
            "cast(null as bigint) as _record_number, cast(null as date) as _as_of, cast(null as varchar) as _batch_id"
        )
        return f"create or replace view raw.{identifier(contract.table)} as select {typed}, {marks} where false"
    listed = ", ".join(f"cast({identifier(name)} as {kind}) as {identifier(name)}" for name, kind in columns)
    return f"""create or replace view raw.{identifier(contract.table)} as
        select {listed},
            coalesce(_record_number, file_row_number + 1) as _record_number,
            as_of as _as_of,
            {BATCH_OF_FILE} as _batch_id
        from {_parquet(files)}"""


def quarantine_view(table: str, rejects: Sequence[str], replays: Sequence[str]) -> str:
    """`quarantine.<table>`: rejected rows of loaded batches; a replayed one says when."""
    name = f"quarantine.{identifier(table)}"
    if not rejects:
        typed = ", ".join(f"cast(null as {kind}) as {column}" for column, kind in QUARANTINE_COLUMNS)
        return f"create or replace view {name} as select {typed} where false"
    replayed = (
        f"""select p.batch_id, p.source, p.record_number, min(l.started_at) as replayed_at
            from {_parquet(replays)} as p
            left join ops.ingestion_logs as l on l.batch_id = split_part(p.filename, '/', -2) and l.status = 'loaded'
            group by p.batch_id, p.source, p.record_number"""
        if replays
        else "select null::varchar as batch_id, null::varchar as source, null::bigint as record_number, null::timestamp as replayed_at where false"
    )
    return f"""create or replace view {name} as
        with rejected as (
            select {BATCH_OF_FILE} as batch_id, as_of, source, record_number, byte_offset, rule, reason, raw from {_parquet(rejects)}
        ),
        replayed as ({replayed})
        select
            r.batch_id, {quote(table)} as table_name, r.as_of, r.source, r.record_number, r.byte_offset, r.rule, r.reason, r.raw,
            l.started_at as quarantined_at, p.replayed_at
        from rejected as r
        inner join ops.ingestion_logs as l on r.batch_id = l.batch_id and l.status = 'loaded'
        left join replayed as p on r.batch_id = p.batch_id and r.source = p.source and r.record_number = p.record_number"""


def quarantine_rows_view(tables: Sequence[str]) -> str:
    """`quarantine.rows`: the rejected rows of all tables."""
    union = " union all ".join(f"select * from quarantine.{identifier(table)}" for table in tables)
    return f"create or replace view quarantine.rows as {union}"


def _parquet(files: Sequence[str]) -> str:
    listed = ", ".join(quote(file) for file in files)
    return (
        f"read_parquet([{listed}], filename = true, file_row_number = true, union_by_name = true, "
        "hive_partitioning = true, hive_types = {'as_of': date})"
    )

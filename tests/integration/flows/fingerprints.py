"""What a warehouse holds, as counts and digests that do not depend on order, run or clock."""

from __future__ import annotations

from typing import Any

RELATIONS = """
select schema_name, name from (
    select schema_name, table_name as name from duckdb_tables() union all
    select schema_name, view_name from duckdb_views() where not internal
) where schema_name in ('raw', 'marts', 'segments') order by all
"""
# Of each run there is one row more, and its times and names differ: these columns are left out.
RECORDS = {
    "ingestion_logs": "table_name, as_of, revision, batch_id, status, rows_read, rows_loaded, rows_quarantined, rows_duplicate, rows_filtered",
    "deliveries": "segment, team, as_of, revision, rows, entered, left_count, files, bytes, manifest_sha256, definition_hash",
    "effective_batches": "table_name, as_of, revision, scope, batch_id, rows_loaded, next_as_of",
}


def fingerprint(warehouse: Any) -> dict[str, tuple[int, str]]:
    """Rows and a digest over all of them for every relation of raw, marts and segments, ops and quarantine."""
    found = {f"{schema}.{name}": digest(warehouse, f"{schema}.{name}") for schema, name in warehouse.query(RELATIONS)}
    for table, columns in RECORDS.items():
        found[f"ops.{table}"] = digest(warehouse, f"(select distinct {columns} from ops.{table} where true) as records")
    found["quarantine.rows"] = digest(
        warehouse, "(select * exclude (quarantined_at, replayed_at) from quarantine.rows) as kept"
    )
    return found


def digest(warehouse: Any, relation: str) -> tuple[int, str]:
    """Number of rows, and the sum of their hashes."""
    ((rows, total),) = warehouse.query(
        f"select count(*), coalesce(sum(hash(found)), 0) from (select * from {relation}) as found"
    )
    return int(rows), str(total)


def differences(left: dict[str, tuple[int, str]], right: dict[str, tuple[int, str]]) -> list[str]:
    """Relations that are not equal, with their rows on both sides."""
    return [
        f"{name}: {left.get(name)} and {right.get(name)}"
        for name in sorted({*left, *right})
        if left.get(name) != right.get(name)
    ]


def unbalanced_batches(warehouse: Any) -> list[tuple[Any, ...]]:
    """Loaded batches for which read is not loaded + quarantined + duplicate, or raw does not hold what the ledger says."""
    broken = warehouse.query(
        "select table_name, batch_id from ops.ingestion_logs where status = 'loaded' and rows_read <> rows_loaded + rows_quarantined + rows_duplicate"
    )
    for table, batch_id, rows in warehouse.query(
        "select table_name, batch_id, rows_loaded from ops.ingestion_logs where status = 'loaded'"
    ):
        ((held,),) = warehouse.query(f"select count(*) from raw.{table} where _batch_id = ?", [batch_id])
        if held != rows:
            broken.append((table, batch_id, rows, held))
    twice = warehouse.query(
        "select batch_id, count(*) from ops.ingestion_logs where status = 'loaded' group by batch_id having count(*) > 1"
    )
    return [*broken, *twice]

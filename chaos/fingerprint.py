"""What a warehouse holds, as counts and digests that do not depend on order, run or clock."""

from __future__ import annotations

from typing import Any

Fingerprint = dict[str, tuple[int, str]]

RELATIONS = """
select schema_name, name from (
    select schema_name, table_name as name from duckdb_tables() union all
    select schema_name, view_name from duckdb_views() where not internal
) where schema_name in ('raw', 'marts', 'segments') order by all
"""
# Of each run there is one row more, and its times and names differ: these columns are left out. A table that could
# not be landed says so in a row of its own, which its success later does not take back.
RECORDS = {
    "ingestion_logs": "select distinct table_name, as_of, revision, batch_id, status, rows_read, rows_loaded, "
    "rows_quarantined, rows_duplicate, rows_filtered from ops.ingestion_logs where status <> 'failed'",
    "deliveries": "select distinct segment, team, as_of, revision, rows, entered, left_count, files, bytes, "
    "manifest_sha256, definition_hash from ops.deliveries",
    "effective_batches": "select distinct table_name, as_of, revision, scope, batch_id, rows_loaded, next_as_of "
    "from ops.effective_batches",
}
# Records that depend on which runs there were as well: equal only where the same days were run in the same order.
# A data test that a stopped dbt run did not come to, or could not ask, says so in a row that its success later does not take back.
RUN_RECORDS = {
    "built_batches": "select * from ops.built_batches",
    "findings": "select * exclude (run_id, detected_at) from ops.findings",
    "freshness": "select * exclude (checked_at) from ops.freshness",
    "dq_check_logs": "select distinct kind, layer, table_name, check_name, column_name, severity, status, "
    "observed_value, expected, unexpected_count, rows_checked, as_of from ops.dq_check_logs "
    "where kind <> 'dbt' or status not in ('skipped', 'error')",
    "properties": "select * from ops.properties",
    "runs": "select distinct flow, as_of, code_version, contracts, settings from ops.runs where status = 'completed'",
}


def fingerprint(warehouse: Any) -> Fingerprint:
    """Rows and a digest over all of them for every relation of raw, marts and segments, ops and quarantine."""
    found = {f"{schema}.{name}": digest(warehouse, f"{schema}.{name}") for schema, name in warehouse.query(RELATIONS)}
    for table, query in RECORDS.items():
        found[f"ops.{table}"] = digest(warehouse, f"({query}) as records")
    found["quarantine.rows"] = digest(
        warehouse,
        "(select * exclude (quarantined_at, replayed_at), replayed_at is not null from quarantine.rows) as kept",
    )
    return found


def run_fingerprint(warehouse: Any) -> Fingerprint:
    """The same for the records of running, and for which relations there are at all, in every schema."""
    found = {f"ops.{table}": digest(warehouse, f"({query}) as records") for table, query in RUN_RECORDS.items()}
    listed = warehouse.query(
        "select schema_name || '.' || table_name from duckdb_tables() union all "
        "select schema_name || '.' || view_name from duckdb_views() where not internal order by all"
    )
    return found | {f"relation {name}": (1, "") for (name,) in listed}


def digest(warehouse: Any, relation: str) -> tuple[int, str]:
    """Number of rows, and the sum of their hashes."""
    ((rows, total),) = warehouse.query(
        f"select count(*), coalesce(sum(hash(found)), 0) from (select * from {relation}) as found"
    )
    return int(rows), str(total)


def differences(left: Fingerprint, right: Fingerprint) -> list[str]:
    """Relations that are not equal, with their rows on both sides."""
    return [
        f"{name}: {left.get(name)} and {right.get(name)}"
        for name in sorted({*left, *right})
        if left.get(name) != right.get(name)
    ]


def unbalanced_batches(warehouse: Any) -> list[tuple[Any, ...]]:
    """Loaded batches for which read is not loaded + quarantined + duplicate, or raw does not hold what the ledger says."""
    broken: list[tuple[Any, ...]] = warehouse.query(
        "select table_name, batch_id from ops.ingestion_logs where status = 'loaded' and rows_read <> rows_loaded + rows_quarantined + rows_duplicate"
    )
    for table, batch_id, rows in warehouse.query(
        "select table_name, batch_id, rows_loaded from ops.ingestion_logs where status = 'loaded'"
    ):
        ((held,),) = warehouse.query(f"select count(*) from raw.{table} where _batch_id = ?", [batch_id])
        if held != rows:
            broken.append((table, batch_id, rows, held))
    return broken


def repeated_batches(warehouse: Any) -> list[tuple[Any, ...]]:
    """Batches with more than one committed row in the ledger."""
    found: list[tuple[Any, ...]] = warehouse.query(
        "select batch_id, count(*) from ops.ingestion_logs where status in ('loaded', 'retired', 'removed') "
        "group by batch_id having count(*) > 1"
    )
    return found

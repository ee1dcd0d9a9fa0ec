"""Records of running: the tables of schema `ops`, the same on every engine, and their rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from regulars.contracts import Contract
from regulars.manifest import Manifest
from regulars.result_tables import RESULT_TABLES
from regulars.run import Run, code_version
from regulars.settings import Settings

OPS_TABLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "ingestion_logs": (
        ("run_id", "varchar"),
        ("flow", "varchar"),
        ("table_name", "varchar"),
        ("as_of", "date"),
        ("revision", "bigint"),
        ("batch_id", "varchar"),
        ("status", "varchar"),
        ("rows_read", "bigint"),
        ("rows_loaded", "bigint"),
        ("rows_quarantined", "bigint"),
        ("rows_duplicate", "bigint"),
        ("rows_filtered", "bigint"),
        ("bytes", "bigint"),
        ("seconds", "double"),
        ("started_at", "timestamp"),
        ("finished_at", "timestamp"),
        ("message", "varchar"),
        ("scope", "varchar"),
        ("landing", "varchar"),
        ("files", "varchar"),
    ),
    "dq_check_logs": (
        ("run_id", "varchar"),
        ("kind", "varchar"),
        ("layer", "varchar"),
        ("table_name", "varchar"),
        ("check_name", "varchar"),
        ("column_name", "varchar"),
        ("severity", "varchar"),
        ("status", "varchar"),
        ("observed_value", "varchar"),
        ("expected", "varchar"),
        ("unexpected_count", "bigint"),
        ("rows_checked", "bigint"),
        ("as_of", "date"),
        ("checked_at", "timestamp"),
        ("details", "varchar"),
    ),
    "deliveries": (
        ("segment", "varchar"),
        ("team", "varchar"),
        ("as_of", "date"),
        ("revision", "bigint"),
        ("rows", "bigint"),
        ("entered", "bigint"),
        ("left_count", "bigint"),
        ("files", "bigint"),
        ("bytes", "bigint"),
        ("manifest", "varchar"),
        ("manifest_sha256", "varchar"),
        ("definition_hash", "varchar"),
        ("run_id", "varchar"),
        ("delivered_at", "timestamp"),
    ),
    # The hold-out of each segment as deliveries draw it: the share, the first day delivered under it, and whom it chose.
    "holdouts": (("segment", "varchar"), ("holdout_pct", "decimal(9,6)"), ("since", "date")),
    "holdout_members": (("segment", "varchar"), ("user_id", "varchar")),
    "freshness": (
        ("table_name", "varchar"),
        ("last_as_of", "date"),
        ("age_days", "bigint"),
        ("status", "varchar"),
        ("is_required", "boolean"),
        ("as_of", "date"),
        ("checked_at", "timestamp"),
    ),
    "runs": (
        ("run_id", "varchar"),
        ("flow", "varchar"),
        ("as_of", "date"),
        ("status", "varchar"),
        ("started_at", "timestamp"),
        ("finished_at", "timestamp"),
        ("first_day", "date"),
        ("last_day", "date"),
        ("batches", "varchar"),
        ("code_version", "varchar"),
        ("contracts", "varchar"),
        ("settings", "varchar"),
        ("published_at", "timestamp"),
        ("message", "varchar"),
    ),
    "findings": (
        ("run_id", "varchar"),
        ("as_of", "date"),
        ("rule", "varchar"),
        ("table_name", "varchar"),
        ("column_name", "varchar"),
        ("status", "varchar"),
        ("rows_found", "bigint"),
        ("rows_new", "bigint"),
        ("rows_not_judged", "bigint"),
        ("lower_bound", "double"),
        ("upper_bound", "double"),
        ("sample_keys", "varchar"),
        ("says", "varchar"),
        ("suggestion", "varchar"),
        ("sql", "varchar"),
        ("detected_at", "timestamp"),
    ),
    **RESULT_TABLES,
    "proofs": (("step", "varchar"), ("evidence", "varchar"), ("run_id", "varchar"), ("proven_at", "timestamp")),
    "built_models": (("schema_name", "varchar"), ("model", "varchar"), ("mark", "varchar")),
    "stored_results": (("table_name", "varchar"), ("digest", "varchar")),
    "published_models": (("schema_name", "varchar"), ("model", "varchar"), ("mark", "varchar")),
    "built_batches": (("stage", "varchar"), ("batch_id", "varchar"), ("table_name", "varchar"), ("as_of", "date")),
}

# Mirrors `regulars.batches.effective`: per table and day the newest full batch and every add revised after it.
EFFECTIVE_BATCHES = """
with loaded as (
    select
        table_name, as_of, revision, scope, batch_id, rows_loaded,
        coalesce(max(case when scope = 'full' then revision end) over (partition by table_name, as_of), 0) as newest_full
    from ops.ingestion_logs
    where status = 'loaded'
),
counting as (
    select * from loaded
    where (scope = 'full' and revision = newest_full) or (scope = 'add' and revision > newest_full)
),
days as (
    select table_name, as_of, lead(as_of) over (partition by table_name order by as_of) as next_as_of
    from (select distinct table_name, as_of from counting) as found
)
select c.table_name, c.as_of, c.revision, c.scope, c.batch_id, c.rows_loaded, d.next_as_of
from counting as c
inner join days as d on c.table_name = d.table_name and c.as_of = d.as_of
"""

# Batches of a table (the parameter) that must not be loaded again.
KNOWN_BATCHES = """
select batch_id from ops.ingestion_logs where table_name = ? and status in ('loaded', 'retired', 'removed')
"""
# Parameter: the batch that is taken out of `raw`.
RETIRE_BATCH = "update ops.ingestion_logs set status = 'retired' where batch_id = ? and status = 'loaded'"
# Parameters: replacement and replaced. It says the same, so what was built from that holds: nothing is to be built again.
REPLACE_BUILT_BATCH = "update ops.built_batches set batch_id = ? where batch_id = ?"

# Columns of `quarantine.rows`.
QUARANTINE_COLUMNS: tuple[tuple[str, str], ...] = (
    ("batch_id", "varchar"),
    ("table_name", "varchar"),
    ("as_of", "date"),
    ("source", "varchar"),
    ("record_number", "bigint"),
    ("byte_offset", "bigint"),
    ("rule", "varchar"),
    ("reason", "varchar"),
    ("raw", "varchar"),
    ("quarantined_at", "timestamp"),
    ("replayed_at", "timestamp"),
)


def ingestion_row(
    manifest: Manifest, run: Run, *, status: str, finished_at: datetime, message: str = ""
) -> dict[str, Any]:
    """The row of `ops.ingestion_logs` for a landed batch; `started_at` is when it was landed."""
    return {
        "run_id": run.run_id,
        "flow": run.flow,
        "table_name": manifest.table,
        "as_of": manifest.as_of,
        "revision": manifest.revision,
        "batch_id": manifest.batch_id,
        "status": status,
        "rows_read": manifest.rows_read,
        "rows_loaded": manifest.rows_loaded if status == "loaded" else 0,
        "rows_quarantined": manifest.rows_quarantined,
        "rows_duplicate": manifest.rows_duplicate,
        "rows_filtered": manifest.rows_filtered,
        "bytes": manifest.bytes,
        "seconds": max((finished_at - manifest.landed_at).total_seconds(), 0.0),
        "started_at": manifest.landed_at,
        "finished_at": finished_at,
        "message": message,
        "scope": manifest.scope,
        "landing": manifest.folder,
        "files": ",".join(part.name for part in (*manifest.parts, *manifest.rejects, *manifest.replays)),
    }


def moved_row(
    table: str, run: Run, *, rows: int | None, size: int | None, started_at: datetime, finished_at: datetime, message: str
) -> dict[str, Any]:  # fmt: skip
    """The row of `ops.ingestion_logs` for rows that a mover brought to where the table is read; none of them is landed yet."""
    return {
        "run_id": run.run_id,
        "flow": run.flow,
        "table_name": table,
        "as_of": run.as_of,
        "status": "moved",
        "rows_read": rows,
        "bytes": size,
        "seconds": (finished_at - started_at).total_seconds(),
        "started_at": started_at,
        "finished_at": finished_at,
        "message": message,
    }


def failed_row(table: str, run: Run, *, started_at: datetime, finished_at: datetime, message: str) -> dict[str, Any]:
    """The row of `ops.ingestion_logs` for a table that could not be landed."""
    return {
        "run_id": run.run_id,
        "flow": run.flow,
        "table_name": table,
        "as_of": run.as_of,
        "status": "failed",
        "seconds": (finished_at - started_at).total_seconds(),
        "started_at": started_at,
        "finished_at": finished_at,
        "message": message,
    }


def run_row(
    run: Run,
    settings: Settings,
    contracts: Mapping[str, Contract],
    *,
    status: str,
    message: str,
    finished_at: datetime,
    **more: Any,
) -> dict[str, Any]:
    """The row of `ops.runs`: what the run was, how it ended and what it depended on."""
    facts = "\n".join(f"{table} {contract.fingerprint()}" for table, contract in sorted(contracts.items()))
    return {
        "run_id": run.run_id,
        "flow": run.flow,
        "as_of": run.as_of,
        "status": status,
        "message": message,
        "started_at": run.started_at,
        "finished_at": finished_at,
        "code_version": code_version(),
        "contracts": hashlib.sha256(facts.encode()).hexdigest()[:16],
        "settings": settings.fingerprint(),
        **more,
    }

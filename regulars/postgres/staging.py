"""Staging of sheets in the operational store: how dbt/operational is called, and what came of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from regulars.dbt_project import call_arguments
from regulars.postgres.store import record, store_url
from regulars.run import Run
from regulars.settings import Settings

STAGED = "stg_customer_engagement"
SAMPLES = 5
COUNTS = """
select
    (select count(*) from staging.int_client_engagement_mapped),
    (select count(*) from staging.stg_customer_engagement),
    (select count(*) from staging.int_client_engagement_ranked where rank_from_below > 1),
    (select count(*) from (select distinct tab_name, row_number from staging.client_engagement_waiting) as waiting)
"""
PROBLEMS = f"""
select problem, count(*), string_agg(concat_ws('!', tab_name, row_number), ', ' order by tab_name, row_number)
    filter (where place <= {SAMPLES})
from (
    select *, row_number() over (partition by problem order by tab_name, row_number) as place
    from staging.client_engagement_waiting
) as numbered
group by problem
order by 2 desc, 1
"""
# Rows of the store's ledger in the terms of the warehouse's, where `loaded` is what landings are.
LEDGER = "select * from ops.ingestion_logs where run_id = %s order by started_at"
STATUSES = {"loaded": "taken in"}


@dataclass(frozen=True)
class Problem:
    """Why rows wait: `says` names column and reason, `samples` up to five places (`tab!row`)."""

    says: str
    rows: int
    samples: str


@dataclass(frozen=True)
class StagedSheet:
    """Every filled row of a sheet is staged, superseded by one further down, or waiting. Counts of rows."""

    filled: int
    staged: int
    superseded: int
    waiting: int
    problems: tuple[Problem, ...]


def staging_environment(settings: Settings) -> dict[str, str]:
    """Variables that dbt/operational/profiles.yml reads; the password only in one that dbt keeps to itself."""
    facts = conninfo_to_dict(store_url(settings))
    names = {"host": "HOST", "port": "PORT", "user": "USER", "dbname": "DATABASE", "sslmode": "SSLMODE"}
    known = {f"REGULARS_STORE_{name}": str(facts[key]) for key, name in names.items() if facts.get(key)}
    return {**known, "DBT_ENV_SECRET_STORE_PASSWORD": str(facts.get("password") or "")}


def staging_arguments(settings: Settings, target_path: Path) -> list[str]:
    """Arguments of the `dbt build` that stages sheets, with its data tests."""
    places = call_arguments(settings, settings.operational_project_dir, target_path)
    return ["build", "--exclude-resource-type", "unit_test", *places]


def record_staged(connection: psycopg.Connection[Any], run: Run, started_at: datetime) -> StagedSheet:
    """What the staging models hold, also as a row of the store's `ops.ingestion_logs` (status `staged`)."""
    filled, staged, superseded, waiting = connection.execute(COUNTS).fetchone() or (0, 0, 0, 0)
    problems = tuple(Problem(*row) for row in connection.execute(PROBLEMS).fetchall())
    sheet = StagedSheet(filled, staged, superseded, waiting, problems)
    finished = datetime.now(UTC).replace(tzinfo=None)
    record(connection, "ingestion_logs", {
        "run_id": run.run_id, "flow": run.flow, "table_name": STAGED, "as_of": run.as_of, "status": "staged",
        "rows_read": sheet.filled, "rows_loaded": sheet.staged, "rows_quarantined": sheet.waiting,
        "rows_duplicate": sheet.superseded, "rows_filtered": 0, "bytes": 0, "seconds": (finished - started_at).total_seconds(),
        "started_at": started_at, "finished_at": finished, "message": "; ".join(one.says for one in problems),
    })  # fmt: skip
    return sheet


def ledger_rows(connection: psycopg.Connection[Any], run: Run) -> list[Mapping[str, Any]]:
    """What the store's ledger says of a run, as rows of the warehouse's; `loaded` there means landed, so it is `taken in`."""
    cursor = connection.execute(LEDGER, [run.run_id])
    names = [column.name for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [{**row, "status": STATUSES.get(row["status"], row["status"])} for row in rows]

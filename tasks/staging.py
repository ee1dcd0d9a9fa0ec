"""Staging of sheets inside the operational store, and its ledger for the warehouse."""

from __future__ import annotations

from prefect import task

from regulars.dbt_project import raise_if_failed, read_results
from regulars.postgres.staging import StagedSheet, ledger_rows, record_staged, staging_arguments, staging_environment
from regulars.postgres.store import open_store
from regulars.run_days import BuildDays
from tasks.context import RunContext, utc_now
from tasks.dbt_calls import call_dbt
from tasks.retry import RETRIED, TASK


@task(name="stage", task_run_name="stage sheets {context.run.as_of}", timeout_seconds=3600, **TASK)
def stage_sheets(context: RunContext) -> StagedSheet:
    """Build dbt/operational with its tests, and say of every row what came of it. Raises BuildError."""
    settings, started, day = context.settings, utc_now(), context.run.as_of
    with context.step("stage", "sheets") as facts, open_store(settings) as store:
        target = settings.home_dir / "dbt" / "operational"  # one folder for all runs: dbt keeps its parse there
        arguments = staging_arguments(settings, target)
        outcome = call_dbt(settings.operational_project_dir, target, arguments, staging_environment(settings))
        built = read_results(outcome, BuildDays(day, day))
        context.warehouse.record("dq_check_logs", built.check_rows(context.run, utc_now(), layer="sheets"))
        raise_if_failed(built)
        found = record_staged(store, context.run, started)
        facts.update(rows_read=found.filled, rows_loaded=found.staged, rows_quarantined=found.waiting)
        return found


@task(name="copy-ledger", **RETRIED)
def copy_ledger(context: RunContext) -> None:
    """Put what the store's ledger says of this run into the warehouse's."""
    with open_store(context.settings) as store:
        rows = [
            {**row, "started_at": row["started_at"].replace(tzinfo=None)} for row in ledger_rows(store, context.run)
        ]
    context.warehouse.replace_records("ingestion_logs", ["run_id", "table_name", "started_at"], rows)

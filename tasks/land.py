"""Extract one table for one business date and land it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from prefect import task

from regulars.errors import GuardBlocked, RegularsError
from regulars.landing import Landed, land
from regulars.ledger import failed_row, ingestion_row
from tasks.context import RunContext, utc_now
from tasks.retry import RETRIED


@task(name="land", task_run_name="land {table} {context.run.as_of}", timeout_seconds=4 * 3600, **RETRIED)
def land_table(context: RunContext, table: str, refresh: bool, accept: bool) -> Landed:
    """Land `table`; a committed landing of the day is kept unless `refresh`. Raises GuardBlocked for an odd batch."""
    started = utc_now()
    with context.step("land", table) as facts:
        try:
            landed = _lander(context, table)(
                context.contracts[table], context.sources, context.settings, context.run, refresh=refresh, accept=accept
            )
        except RegularsError as error:
            row = failed_row(table, context.run, started_at=started, finished_at=utc_now(), message=error.message)
            context.warehouse.record("ingestion_logs", [row])
            raise
        manifest = landed.manifest
        facts.update(
            status=manifest.verdict.status if landed.created else "known",
            batch_id=manifest.batch_id,
            rows_read=manifest.rows_read,
            rows_loaded=manifest.rows_loaded,
            rows_quarantined=manifest.rows_quarantined,
            rows_duplicate=manifest.rows_duplicate,
            rows_filtered=manifest.rows_filtered,
            bytes=manifest.bytes,
        )
        if not manifest.is_accepted:
            reasons = "; ".join(manifest.verdict.reasons)
            row = ingestion_row(manifest, context.run, status="blocked", finished_at=utc_now(), message=reasons)
            context.warehouse.replace_records("ingestion_logs", ["batch_id", "status"], [row])
            raise GuardBlocked(
                f"{table} for {manifest.as_of} was kept out: {reasons}",
                remedy=f"have the source resent and run again, or accept it with --set accept={table}",
            )
        return landed


def _lander(context: RunContext, table: str) -> Callable[..., Landed]:
    if context.sources.tables[table].via is None or context.settings.warehouse != "snowflake":
        return land
    from regulars.staged.landing import land_staged  # only who uses it installs what it imports

    return partial(land_staged, warehouse=context.warehouse)

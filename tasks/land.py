"""Extract one table and land it, for one business date or for all that a run has to catch up with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from prefect import task

from regulars.catch_up import Due, days_due
from regulars.errors import GuardBlocked, NoSuchFile, RegularsError
from regulars.landing import Landed, land
from regulars.ledger import failed_row, ingestion_row
from regulars.run import Run
from regulars.sources.postgres_state import ROW_DIGEST
from regulars.storage import open_storage
from regulars.transfer import transfer
from tasks.context import RunContext, utc_now
from tasks.move import move_rows
from tasks.retry import RETRIED


@task(name="land", task_run_name="land {table} {context.run.as_of}", timeout_seconds=4 * 3600, **RETRIED)
def land_table(context: RunContext, table: str, refresh: bool, accept: bool) -> Landed:
    """Land `table`; a committed landing of the day is kept unless `refresh`. Raises GuardBlocked for an odd batch."""
    [landed] = _land_days(context, table, [Due(context.run.as_of)], refresh, accept)
    return landed


@task(name="land", task_run_name="land {table} until {context.run.as_of}", timeout_seconds=24 * 3600, **RETRIED)
def catch_up_table(
    context: RunContext, table: str, since: date | None, refresh: bool, accept: bool
) -> Sequence[Landed]:
    """Land what has come since the last landing of `table`, or since the day `since`, up to the run's day.

    `refresh` is about the run's day. Raises GuardBlocked for an odd batch, after which no later one is landed.
    """
    storage = open_storage(context.settings.landing_root, context.settings.s3)
    dues = days_due(context.contracts[table], context.sources, context.settings, storage, context.run.as_of, since)
    landed = _land_days(context, table, dues, refresh, accept)
    if not landed:
        raise NoSuchFile(
            f"table {table}: there is no file for any day from {dues[0].as_of} to {dues[-1].as_of}",
            remedy="deliver the files, or correct path under connections or tables in sources.yml",
        )
    return landed


def _land_days(context: RunContext, table: str, dues: Sequence[Due], refresh: bool, accept: bool) -> list[Landed]:
    move_rows(context, table, [due.as_of for due in dues], refresh, accept)
    found = [_land(context, table, due, refresh and due.as_of == context.run.as_of, accept) for due in dues]
    return [one for one in found if one is not None]


def _land(context: RunContext, table: str, due: Due, refresh: bool, accept: bool) -> Landed | None:
    started, run = utc_now(), replace(context.run, as_of=due.as_of)
    with context.step("land", table, run) as facts:
        try:
            landed = _lander(context, table)(
                context.contracts[table], context.sources, context.settings, run,
                refresh=refresh, accept=accept, since=due.since,
            )  # fmt: skip
        except RegularsError as error:
            if due.may_lack and isinstance(error, NoSuchFile):
                facts["status"] = "no file"
                return None
            row = failed_row(table, run, started_at=started, finished_at=utc_now(), message=error.message)
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
            _keep_out(context, run, landed)
        return landed


def _keep_out(context: RunContext, run: Run, landed: Landed) -> None:
    manifest = landed.manifest
    reasons = "; ".join(manifest.verdict.reasons)
    row = ingestion_row(manifest, run, status="blocked", finished_at=utc_now(), message=reasons)
    context.warehouse.replace_records("ingestion_logs", ["batch_id", "status"], [row])
    raise GuardBlocked(
        f"{manifest.table} for {manifest.as_of} was kept out: {reasons}",
        remedy=f"have the source resent and run again, or accept it with --set accept={manifest.table}",
    )


def _lander(context: RunContext, table: str) -> Callable[..., Landed]:
    if ROW_DIGEST in context.contracts[table].by_name and context.sources.connection_of(table).kind == "postgres":
        return transfer
    if context.sources.tables[table].via is None or context.settings.warehouse != "snowflake":
        return land
    from regulars.staged.landing import land_staged  # only who uses it installs what it imports

    return partial(land_staged, warehouse=context.warehouse)

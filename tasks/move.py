"""Have a mover bring a table's rows to where they are read from: once in a run for all tables that share its job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from threading import Lock
from time import monotonic
from typing import Any

from regulars.errors import RegularsError
from regulars.landing import look_up
from regulars.ledger import failed_row, moved_row
from regulars.step_log import logger
from regulars.storage import open_storage
from tasks.artifacts import Progress
from tasks.context import RunContext, utc_now
from tasks.retry import heals

LAST_ROWS = """
select rows_read from ops.ingestion_logs where table_name = ? and status = 'moved' and rows_read > 0 order by finished_at desc limit 1
"""
TOLD_EVERY = 60.0  # seconds


def move_rows(context: RunContext, table: str, days: Sequence[date], refresh: bool, accept: bool) -> None:
    """Run the table's mover, if it has one and any of `days` is to be landed yet. Raises what its `sync` raises."""
    entry = context.sources.tables[table]
    if entry.mover is None or entry.sync is None:
        return
    started = utc_now()
    try:
        if _is_due(context, table, days, refresh, accept):
            _move_once(context, table, (entry.mover, entry.sync))
    except RegularsError as error:
        row = failed_row(table, context.run, started_at=started, finished_at=utc_now(), message=error.message)
        context.warehouse.record("ingestion_logs", [row])
        raise


def _is_due(context: RunContext, table: str, days: Sequence[date], refresh: bool, accept: bool) -> bool:
    storage, contract = open_storage(context.settings.landing_root, context.settings.s3), context.contracts[table]
    runs = (replace(context.run, as_of=day) for day in days)
    return any(
        look_up(
            storage, contract, context.sources, run, refresh=refresh and run.as_of == context.run.as_of, accept=accept
        ).settled is None
        for run in runs
    )  # fmt: skip


def _move_once(context: RunContext, table: str, job: tuple[str, str]) -> None:
    """Tables side by side that share a job wait for the first of them, and end as it did."""
    with context.moving.setdefault(job, Lock()):
        if job in context.moved:
            error = context.moved[job]
            if error is not None:
                raise error
            return
        try:
            _move(context, table, *job)
            context.moved[job] = None
        except RegularsError as error:
            if not heals(error):  # what heals is tried again by the task
                context.moved[job] = error
            raise


def _move(context: RunContext, table: str, mover: str, sync_id: str) -> None:
    from regulars.movers.airbyte import sync  # only who uses it installs what it imports

    began = utc_now()
    with context.step("move", table) as facts:
        job = sync(mover, context.sources.connections[mover], sync_id, _telling(context, table, mover))
        started = job.started_at or began
        finished = utc_now() if job.seconds is None else started + timedelta(seconds=job.seconds)
        message = f"job {job.job_id} of {mover}, sync {sync_id}"
        if job.rows is None:
            message += "; it does not say how many rows it moved"
            logger.warning("%s: %s", table, message)
        row = moved_row(
            table, context.run, rows=job.rows, size=job.bytes, started_at=started, finished_at=finished, message=message
        )
        context.warehouse.record("ingestion_logs", [row])
        facts.update(status="moved", rows_read=job.rows, bytes=job.bytes, job_id=job.job_id)


def _telling(context: RunContext, table: str, mover: str) -> Callable[[Any], None]:
    """Tells of a job by an artifact, whose percentage is that of the rows moved last time, and by a line now and then."""
    expected = next((rows for (rows,) in context.warehouse.query(LAST_ROWS, [table])), None)
    progress = Progress(f"move-{table.replace('_', '-')}", steps=100)
    told: dict[str, Any] = {"status": "", "at": 0.0}

    def report(job: Any) -> None:
        if job.status == "succeeded":
            progress.reach(100)
        elif expected and job.rows:
            progress.reach(min(99.0, 100 * job.rows / expected))
        if job.status != told["status"] or monotonic() - told["at"] > TOLD_EVERY:
            told.update(status=job.status, at=monotonic())
            so_far = f"is {job.status}, {job.rows or 0:,} rows so far"
            logger.info("%s  %s: job %s of %s %s", context.run.as_of, table, job.job_id, mover, so_far)

    return report

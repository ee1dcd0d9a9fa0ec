"""The mover `airbyte`: a sync of one of its connections is started, or joined where it runs, and waited for.

States of a job: docs.airbyte.com/platform/understanding-airbyte/jobs. `incomplete` is none to end with: an attempt failed,
and Airbyte makes another one or says `failed`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from regulars.errors import SourceError, StillRunning, TransientError
from regulars.movers.airbyte_client import AirbyteClient, AirbyteOptions
from regulars.patience import Patience
from regulars.sources.config import Connection
from regulars.sources.options import checked

logger = logging.getLogger("regulars")

ENDED = {"succeeded", "failed", "cancelled"}
MOVING = {"sync", "refresh"}  # the other types of job empty the destination
CONFLICT_SECONDS = 60.0  # a job may be refused for one that is ending
DURATION = TypeAdapter(timedelta)


@dataclass(frozen=True)
class Moved:
    """A job of Airbyte, so far: `rows` and `bytes` as it counts them (None: it does not say), `started_at` in UTC without zone."""

    job_id: int
    status: str
    kind: str
    rows: int | None
    bytes: int | None
    started_at: datetime | None
    seconds: float | None


def sync(name: str, connection: Connection, sync_id: str, report: Callable[[Moved], None] = lambda job: None) -> Moved:
    """Move the rows of Airbyte's connection `sync_id` now, by the server that the connection `name` of sources.yml is.

    A sync that runs already is waited for, so that a run which was killed goes on where it was; after a job that empties the
    destination a sync is started. `report` is told of the job at every look.

    Raises SourceError for a job that failed or was cancelled, a refused login and an unknown `sync_id`; StillRunning where it
    takes longer than `timeout_minutes`; TransientError where Airbyte does not answer; ConfigError.
    """
    options = checked(AirbyteOptions, connection.options, f"connections.{name}.options")
    until = time.monotonic() + 60 * options.timeout_minutes
    with AirbyteClient(name, connection, sync_id, options) as airbyte:
        while True:
            found = _running(airbyte) or _started(airbyte)
            job = _wait(airbyte, found, until, options, report)
            if job.kind in MOVING:
                break
        if job.status != "succeeded":
            raise _failed(airbyte, job)
        return job


def _running(airbyte: AirbyteClient) -> Moved | None:
    for job in map(_described, airbyte.newest_jobs()):
        if job.status not in ENDED:
            logger.info("%s: job %s runs already: waiting for it", airbyte.place, job.job_id)
            return job
    return None


def _started(airbyte: AirbyteClient) -> Moved:
    """A job that is new, or the one for which Airbyte refused it."""
    patience = Patience(CONFLICT_SECONDS)
    while True:
        job, refusal = airbyte.start()
        if job is not None:
            found = _described(job)
            logger.info("%s: started job %s", airbyte.place, found.job_id)
            return found
        running = _running(airbyte)
        if running is not None:
            return running
        if not patience.pause():
            raise TransientError(
                f"{airbyte.place}: Airbyte starts no job, and shows none that runs: {refusal}",
                remedy="look at the connection in Airbyte: enable it, or cancel what holds it up; then run again",
            )


def _wait(
    airbyte: AirbyteClient, job: Moved, until: float, options: AirbyteOptions, report: Callable[[Moved], None]
) -> Moved:
    while True:
        report(job)
        if job.status in ENDED:
            return job
        left = until - time.monotonic()
        if left <= 0:
            raise StillRunning(
                f"{airbyte.place}: job {job.job_id} is {job.status} after {options.timeout_minutes:g} minutes; Airbyte goes on with it",
                remedy="run again: the next run waits for that job; where it always takes that long, raise timeout_minutes of the connection",
            )
        time.sleep(min(options.poll_seconds, left))
        job = _described(airbyte.look(job.job_id))


def _failed(airbyte: AirbyteClient, job: Moved) -> SourceError:
    how = f"{airbyte.place}: job {job.job_id} {'was cancelled in Airbyte' if job.status == 'cancelled' else 'failed'}"
    if job.status == "cancelled":
        return SourceError(how, remedy="run again once it may run: that starts a new one")
    why = airbyte.reason(job.job_id) or (
        f"Airbyte's API does not say why; it counts {job.rows or 0} rows in {job.seconds or 0:.0f} seconds"
    )
    return SourceError(
        f"{how}: {why}",
        remedy=f"look at job {job.job_id} in the timeline of the connection in Airbyte, correct it there, then run again",
    )


def _described(job: Any) -> Moved:
    """Of a `JobResponse`; times are text there, and may be left out."""
    try:
        started: datetime | None = datetime.fromisoformat(job.start_time).astimezone(UTC).replace(tzinfo=None)
    except (TypeError, ValueError):
        started = None
    try:
        seconds: float | None = DURATION.validate_python(job.duration).total_seconds()
    except ValidationError:
        seconds = None
    return Moved(
        job.job_id, job.status.value, job.job_type.value, job.rows_synced, job.bytes_synced, started, seconds
    )  # fmt: skip

"""Switch readers over to what was built."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from regulars.freshness import Freshness, freshness_on
from tasks.context import RunContext, utc_now
from tasks.retry import RETRIED


@task(name="publish", task_run_name="publish {context.run.as_of}", timeout_seconds=2 * 3600, **RETRIED)
def publish_schemas(context: RunContext, schemas: Sequence[str]) -> None:
    """Publish `schemas`, all at once; a kill leaves the earlier publication in place."""
    with context.step("publish", ",".join(schemas)):
        context.warehouse.publish(schemas)


@task(name="freshness", task_run_name="freshness {context.run.as_of}", **RETRIED)
def record_freshness(context: RunContext) -> list[Freshness]:
    """Record how old each table's newest landing is on the run's day."""
    with context.step("freshness"):
        found = freshness_on(context.warehouse, context.contracts, context.sources, context.run.as_of)
        context.warehouse.replace_records("freshness", ["table_name", "as_of"], [one.row(utc_now()) for one in found])
        return found

"""Say how old data is, and raise an event where it is later than its contract promises."""

from __future__ import annotations

from dataclasses import asdict

from prefect import task
from prefect.events import emit_event

from regulars.freshness import Freshness, freshness_on
from tasks.context import RunContext, utc_now
from tasks.retry import RETRIED

LATE_DATA = "regulars.data.late"  # deployments/automations.yml waits for it


@task(name="freshness", task_run_name="freshness {context.run.as_of}", **RETRIED)
def record_freshness(context: RunContext) -> list[Freshness]:
    """Record in `ops.freshness` how old each table's newest landing is on the run's day; each late table is an event."""
    with context.step("freshness") as facts:
        found = freshness_on(context.warehouse, context.contracts, context.sources, context.run.as_of)
        context.warehouse.replace_records("freshness", ["table_name", "as_of"], [one.row(utc_now()) for one in found])
        late = [one for one in found if one.is_late]
        for one in late:
            emit_event(
                LATE_DATA,
                resource={
                    "prefect.resource.id": f"regulars.table.{one.table_name}",
                    "prefect.resource.name": one.table_name,
                },
                payload={name: str(value) for name, value in asdict(one).items()} | {"flow": context.run.flow},
            )
        facts.update(tables=len(found), late=len(late))
        return found

"""Apply the retention of landings."""

from __future__ import annotations

from prefect import task

from regulars.retention import Retired, retire
from tasks.context import RunContext, utc_now
from tasks.retry import RETRIED


@task(name="retire", task_run_name="retire {context.run.as_of}", timeout_seconds=4 * 3600, **RETRIED)
def retire_landings(context: RunContext) -> list[Retired]:
    """Remove superseded landings and empty personal columns of old ones, where the settings say so."""
    with context.step("retire") as facts:
        retired = retire(context.warehouse, context.contracts, context.settings, context.run, utc_now())
        facts.update(days=len(retired), batches=sum(len(one.removed) for one in retired))
        return retired

"""Switch readers over to what was built."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from regulars.freshness import Freshness, freshness_on
from tasks.context import RunContext, utc_now
from tasks.retry import RETRIED


@task(name="publish", task_run_name="publish {context.run.as_of}", timeout_seconds=2 * 3600, **RETRIED)
def publish_schemas(context: RunContext, schemas: Sequence[str]) -> None:
    """Publish `schemas`, all at once; a kill leaves the earlier publication in place.

    Marts that a stopped run has published already stay as they are; what ends a run brings the ledgers up to date.
    """
    step, proofs = f"publish {','.join(schemas)}", context.proofs
    with context.step("publish", ",".join(schemas)) as facts:
        if "marts" in schemas and proofs.run_that_proved(step, _published(context)):
            facts["status"] = "known"
            return
        context.warehouse.publish(schemas)
        proofs.keep({step: _published(context)}, utc_now())


def _published(context: RunContext) -> str:
    """Evidence of what is published: the marts, and where readers get a file, which one it is."""
    path = context.settings.published_path
    stat = path.stat() if path.exists() else None
    return context.proofs.evidence(
        context.proofs.built("marts"), stat and (stat.st_size, stat.st_mtime_ns, stat.st_ino)
    )


@task(name="freshness", task_run_name="freshness {context.run.as_of}", **RETRIED)
def record_freshness(context: RunContext) -> list[Freshness]:
    """Record how old each table's newest landing is on the run's day."""
    with context.step("freshness"):
        found = freshness_on(context.warehouse, context.contracts, context.sources, context.run.as_of)
        context.warehouse.replace_records("freshness", ["table_name", "as_of"], [one.row(utc_now()) for one in found])
        return found

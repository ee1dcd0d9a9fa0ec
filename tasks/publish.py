"""Switch readers over to what was built."""

from __future__ import annotations

from prefect import task

from regulars.publication import held_back, remember_published
from regulars.stages import Stage
from tasks.context import RunContext, utc_now
from tasks.retry import RETRIED


@task(name="publish", task_run_name="publish {stage.name} {context.run.as_of}", timeout_seconds=2 * 3600, **RETRIED)
def publish_stage(context: RunContext, stage: Stage) -> None:
    """Publish what a stage has built, with the ledgers, all at once; a kill leaves the earlier publication in place.

    Of other stages, what was built and not proven yet stays as readers know it. Marts that a stopped run has published
    already stay as they are; what ends a run brings the ledgers up to date.
    """
    step, proofs = f"publish {stage.name}", context.proofs
    with context.step("publish", stage.name) as facts:
        if stage.schema == "marts" and proofs.run_that_proved(step, _published(context, stage)):
            facts["status"] = "known"
            return
        kept = held_back(context.warehouse, stage, context.stages.values())
        context.warehouse.publish([stage.schema, "ops"], kept)
        remember_published(context.warehouse, stage)
        proofs.keep({step: _published(context, stage)}, utc_now())


def _published(context: RunContext, stage: Stage) -> str:
    """Evidence of what is published: the stage's models, and where readers get a file, which one it is."""
    path = context.settings.published_path
    stat = path.stat() if path.exists() else None
    return context.proofs.evidence(context.proofs.built(stage), stat and (stat.st_size, stat.st_mtime_ns, stat.st_ino))

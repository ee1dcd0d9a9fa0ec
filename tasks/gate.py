"""Run the quality gate of a layer, record every check and show the table of checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from prefect import task
from prefect.artifacts import create_link_artifact, create_markdown_artifact

from regulars.engine import quote
from regulars.quality.checks import GateResult
from regulars.quality.data_docs import DataDocs
from regulars.quality.gates import run_gate
from regulars.quality.remembered import RememberedSuites
from regulars.quality.suites import Layer, list_suites
from regulars.run_days import landed_days
from regulars.stages import Stage
from tasks.context import RunContext, utc_now
from tasks.retry import TASK

# Days that are loaded but not built, whose newest raw checks ended in a block: they must pass before they are built.
UNRESOLVED = """
with unbuilt as (
    select distinct as_of from ops.effective_batches
    where table_name in ({tables}) and batch_id not in (select batch_id from ops.built_batches)
),
newest as (
    select as_of, status, severity, rank() over (partition by as_of order by checked_at desc nulls last) as age_rank
    from ops.dq_check_logs
    where layer = 'raw' and kind = 'gate' and table_name in ({tables})
)
select distinct n.as_of
from newest as n
inner join unbuilt as u on n.as_of = u.as_of
where n.age_rank = 1 and n.status in ('failed', 'error') and n.severity = 'block'
order by n.as_of
"""


@task(name="gate", task_run_name="gate raw {context.run.as_of}", timeout_seconds=2 * 3600, **TASK)
def check_raw(context: RunContext, docs: DataDocs, fail_on_block: bool) -> list[GateResult]:
    """Judge the run's tables for its day, and earlier days that were blocked and never built. Raises GateBlocked."""
    asked = UNRESOLVED.format(tables=", ".join(quote(table) for table in context.tables))
    unresolved = [day for (day,) in context.warehouse.query(asked)]
    return _judge(context, "raw", context.tables, sorted({context.run.as_of, *unresolved}), None, docs, fail_on_block)


@task(name="gate", task_run_name="gate {stage.name} {context.run.as_of}", timeout_seconds=2 * 3600, **TASK)
def check_marts(context: RunContext, stage: Stage, docs: DataDocs, fail_on_block: bool) -> list[GateResult]:
    """Judge what a stage has built for its newest day: that is the one it shows, whatever day was asked for.

    Raises GateBlocked, and what is published stays as it was.
    """
    newest = max([context.run.as_of, *landed_days(context.warehouse, stage)])
    suites = [name for name in list_suites("marts") if name in stage.shown_models]
    return _judge(context, "marts", suites, [newest], stage, docs, fail_on_block)


def _judge(
    context: RunContext, layer: Layer, tables: Sequence[str], days: Sequence[date], stage: Stage | None,
    docs: DataDocs, fail_on_block: bool,
) -> list[GateResult]:  # fmt: skip
    """Results by day. What a stopped run has judged over the same rows and rules is said again without asking the engine."""
    with context.step("gate", stage.name if stage else layer) as facts:
        remembered = RememberedSuites(context.warehouse, context.proofs, layer, stage)
        results = [
            run_gate(
                layer,
                tables,
                settings=context.settings,
                run=replace(context.run, as_of=day),
                contracts=context.contracts,
                docs=docs,
                known=remembered.checks,
            )
            for day in days
        ]
        checks = [check for result in results for check in result.checks]
        context.warehouse.record("dq_check_logs", [row for result in results for row in result.rows()])
        remembered.keep(results, utc_now())
        create_markdown_artifact(
            "\n\n".join(result.markdown() for result in results),
            key=f"checks-{stage.name if stage else layer}",
            description=f"Gate on {layer}",
        )
        facts.update(checks=len(checks), failed=sum(check.is_bad for check in checks))
        for result in results:
            result.raise_if_blocked(fail_on_block)
        return results


@contextmanager
def data_docs(context: RunContext) -> Iterator[DataDocs]:
    """Collect the results of a run's gates; the site is written once, when the run ends, however it ends."""
    try:
        with DataDocs(context.settings) as docs:
            yield docs
    finally:
        index = docs.folder / "index.html"
        if index.exists():
            create_link_artifact(
                index.as_uri(), link_text="Data docs", key="data-docs", description="Rules and results of the last runs"
            )

"""Judge what is unusual in what was built, and say what may be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from prefect import task
from prefect.artifacts import create_markdown_artifact

from regulars.quality.detection import as_table, judge_daily_totals, judge_loads
from regulars.quality.findings import Found, ledger_rows, markdown, raise_if_wanted, summarise, write_summary
from regulars.results import store_result
from regulars.run_days import landed_days
from regulars.stages import Stage
from tasks.context import RunContext, utc_now
from tasks.retry import RETRIED, TASK


@task(name="judge-series", task_run_name="judge series {context.run.as_of}", **RETRIED)
def judge_totals(context: RunContext) -> None:
    """Judge the totals of days by those before them, for model `anomalies` to build on."""
    with context.step("detect", "daily_sales") as facts:
        verdicts = judge_daily_totals(context.warehouse)
        store_result(context.warehouse, context.settings, "judged_series", as_table(verdicts))
        facts.update(days=len(verdicts), flagged=sum(one.verdict.is_flagged for one in verdicts))


@task(name="detect", task_run_name="detect {context.run.as_of}", **TASK)
def report_findings(context: RunContext, stage: Stage, fail_on_findings: Sequence[str]) -> list[Found]:
    """Count the findings of every rule, record and show them. Raises FindingsError where the caller wants to stop for some."""
    with context.step("detect", "anomalies") as facts:
        warehouse = context.warehouse
        # Marts stand for the newest landed day: what a run of an earlier one finds is found on that.
        run = replace(context.run, as_of=max([context.run.as_of, *landed_days(warehouse, stage)]))
        found = summarise(warehouse, run.as_of, judge_loads(warehouse, stage.tables), judge_daily_totals(warehouse))
        warehouse.replace_records("findings", ["as_of", "rule"], ledger_rows(found, run, utc_now()))
        write_summary(found, run, context.settings.home_dir / "findings")
        create_markdown_artifact(
            markdown(found, run.as_of), key="findings", description="What is unusual, and what may be done"
        )
        facts.update(rows_found=sum(one.rows_found for one in found), rows_new=sum(one.rows_new for one in found))
        raise_if_wanted(found, fail_on_findings)
        return found

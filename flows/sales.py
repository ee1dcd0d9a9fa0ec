"""Flow `weekly-customer-analytics`: the shop's orders, as a star schema that is proven, judged for what is unusual, and published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from prefect import flow

from flows.ingest import catch_up_and_load
from flows.transform import judge_and_publish
from regulars.dbt_project import Built
from regulars.quality.findings import Found, check_rule_names
from regulars.warehouse.base import Loaded
from tasks.artifacts import Progress, summary_artifact
from tasks.build import build_stage
from tasks.charts import draw_charts
from tasks.context import open_context
from tasks.detect import judge_totals, report_findings
from tasks.gate import check_raw, data_docs
from tasks.naming import run_name
from tasks.retire import retire_landings
from tasks.science import compute_insights, require_science
from tasks.writing import writing


@dataclass(frozen=True)
class WeeklyAnalytics:
    """What one run of the weekly refresh did."""

    as_of: date
    loaded: tuple[Loaded, ...]
    built: tuple[Built, ...]
    found: tuple[Found, ...]


@flow(name="weekly-customer-analytics", flow_run_name=run_name, persist_result=False)
def weekly_customer_analytics(
    as_of: date | None = None,
    since: date | None = None,
    refresh: bool = False,
    accept: list[str] | None = None,
    fail_on_block: bool = True,
    fail_on_findings: list[str] | None = None,
    rebuild: bool = False,
    science: bool = True,
) -> WeeklyAnalytics:
    """Bring customers, products and orders up to the business date, and answer who buys, what sells and what is unusual.

    Every day since the last landing is brought in; running it twice, after a kill, or for a past date ends in the same tables.

    Args:
        as_of: Business date up to which it works; default the day before the scheduled one.
        since: Business date from which sources are read; default the day after the last landing. For a first load.
        refresh: Extract the business date again although it is landed; a changed source makes a new revision.
        accept: Tables that are taken in although a guard objects.
        fail_on_block: End with an error where a gate blocks; false goes on knowingly.
        fail_on_findings: Rules of detection (or `all`) whose new findings end the run before anything is published.
        rebuild: Build every day again from the landings, not only what changed.
        science: Forecast sales, value customers and flag unusual ones; false keeps the last results, and needs no extra.
    """
    check_rule_names(fail_on_findings or [])
    if science:
        require_science()
    context = open_context("weekly-customer-analytics", as_of, stage="sales")
    sales, insights = context.stages["sales"], context.stages["insights"]
    progress = Progress("weekly-customer-analytics-progress", steps=4)
    with writing(context), data_docs(context) as docs:
        loaded = catch_up_and_load(context, since, refresh, accept or [])
        check_raw(context, docs, fail_on_block)
        progress.advance()
        built = build_stage(context, sales, rebuild)
        progress.advance()
        judge_totals(context)
        if science:
            compute_insights(context, sales)
        built += build_stage(context, insights, rebuild)
        found = report_findings(context, sales, fail_on_findings or [])
        progress.advance()
        judge_and_publish(context, insights, docs, fail_on_block)
        draw_charts(context, sales)
        retire_landings(context)
        summary_artifact(context)
        progress.advance()
        return WeeklyAnalytics(context.run.as_of, tuple(loaded), tuple(built), tuple(found))

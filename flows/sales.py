"""Flow `weekly-customer-analytics`: the shop's orders, as a star schema that is proven, judged for what is unusual, and published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from prefect import flow

from flows.ingest import catch_up_and_load
from flows.transform import build_and_publish
from regulars.dbt_project import Built
from regulars.warehouse.base import Loaded
from tasks.artifacts import Progress, summary_artifact
from tasks.context import open_context
from tasks.gate import check_raw, data_docs
from tasks.naming import run_name
from tasks.retire import retire_landings
from tasks.writing import writing


@dataclass(frozen=True)
class WeeklyAnalytics:
    """What one run of the weekly refresh did."""

    as_of: date
    loaded: tuple[Loaded, ...]
    built: tuple[Built, ...]


@flow(name="weekly-customer-analytics", flow_run_name=run_name, persist_result=False)
def weekly_customer_analytics(
    as_of: date | None = None,
    since: date | None = None,
    refresh: bool = False,
    accept: list[str] | None = None,
    fail_on_block: bool = True,
    rebuild: bool = False,
) -> WeeklyAnalytics:
    """Bring customers, products and orders up to the business date, and answer who buys, what sells and what is unusual.

    Every day since the last landing is brought in; running it twice, after a kill, or for a past date ends in the same tables.

    Args:
        as_of: Business date up to which it works; default the day before the scheduled one.
        since: Business date from which sources are read; default the day after the last landing. For a first load.
        refresh: Extract the business date again although it is landed; a changed source makes a new revision.
        accept: Tables that are taken in although a guard objects.
        fail_on_block: End with an error where a gate blocks; false goes on knowingly.
        rebuild: Build every day again from the landings, not only what changed.
    """
    context = open_context("weekly-customer-analytics", as_of, stage="sales")
    progress = Progress("weekly-customer-analytics-progress", steps=3)
    with writing(context), data_docs(context) as docs:
        loaded = catch_up_and_load(context, since, refresh, accept or [])
        check_raw(context, docs, fail_on_block)
        progress.advance()
        built = build_and_publish(context, context.stages["sales"], docs, rebuild, fail_on_block)
        progress.advance()
        retire_landings(context)
        summary_artifact(context)
        progress.advance()
        return WeeklyAnalytics(context.run.as_of, tuple(loaded), tuple(built))

"""Flow `daily-loyalty-merge`: the departmental sources of one business date, merged, proven, published and delivered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from prefect import flow

from flows.ingest import land_and_load
from flows.segment import find_and_deliver
from flows.transform import build_and_publish
from regulars.dbt_project import Built
from regulars.segments.delivery import Delivered
from regulars.warehouse.base import Loaded
from tasks.artifacts import Progress, summary_artifact
from tasks.context import open_context
from tasks.gate import check_raw, data_docs
from tasks.naming import run_name
from tasks.retire import retire_landings
from tasks.writing import writing


@dataclass(frozen=True)
class DailyMerge:
    """What one run of the daily merge did."""

    as_of: date
    loaded: tuple[Loaded, ...]
    built: tuple[Built, ...]
    delivered: tuple[Delivered, ...]


@flow(name="daily-loyalty-merge", flow_run_name=run_name, persist_result=False)
def daily_loyalty_merge(
    as_of: date | None = None,
    refresh: bool = False,
    accept: list[str] | None = None,
    fail_on_block: bool = True,
    rebuild: bool = False,
) -> DailyMerge:
    """Merge the sources of one business date into the loyalty master and its history, and deliver the segments.

    Running it twice, after a kill, or for a past date ends in the same tables as running every date once, in order.

    Args:
        as_of: Business date; default the day before the scheduled one.
        refresh: Extract again although the day is landed; a changed source makes a new revision.
        accept: Tables that are taken in although a guard objects.
        fail_on_block: End with an error where a gate blocks; false goes on knowingly.
        rebuild: Build every day again from the landings, not only what changed.
    """
    context = open_context("daily-loyalty-merge", as_of, stage="loyalty")
    progress = Progress("daily-loyalty-merge-progress", steps=3)
    with writing(context), data_docs(context) as docs:
        loaded = land_and_load(context, refresh, accept or [])
        check_raw(context, docs, fail_on_block)
        progress.advance()
        built = build_and_publish(context, context.stages["loyalty"], docs, rebuild, fail_on_block)
        progress.advance()
        delivered = find_and_deliver(context, docs, None, rebuild, fail_on_block)
        progress.advance()
        retire_landings(context)
        summary_artifact(context)
        return DailyMerge(context.run.as_of, tuple(loaded), tuple(built), tuple(delivered))

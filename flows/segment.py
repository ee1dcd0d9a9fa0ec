"""Flow `segment`: find the members of every segment and hand them to their teams."""

from __future__ import annotations

from datetime import date

from prefect import flow

from regulars.quality.data_docs import DataDocs
from regulars.segments.delivery import Delivered
from tasks.build import build_stage
from tasks.context import RunContext, open_context
from tasks.deliver import chosen_segments, deliver_segment, hold_out
from tasks.gate import check_marts, data_docs
from tasks.naming import run_name
from tasks.publish import publish_stage
from tasks.writing import writing


@flow(
    name="segment",
    flow_run_name=run_name,
    description="Find the members of every segment and deliver them",
    persist_result=False,
)
def segment(
    as_of: date | None = None, segments: list[str] | None = None, rebuild: bool = False, fail_on_block: bool = True
) -> list[Delivered]:
    """Deliver the members of one business date; an unchanged delivery is not written again.

    Args:
        as_of: Business date; default the day before the scheduled one.
        segments: Names of the segments to deliver; default all.
        rebuild: Build membership again for every landed day.
        fail_on_block: End with an error where the gate on membership blocks; false delivers knowingly.
    """
    context = open_context("segment", as_of)
    with writing(context), data_docs(context) as docs:
        return find_and_deliver(context, docs, segments, rebuild, fail_on_block)


def find_and_deliver(
    context: RunContext, docs: DataDocs, segments: list[str] | None, rebuild: bool, fail_on_block: bool
) -> list[Delivered]:
    """Bring membership up to date, judge it, deliver each segment, and show readers what was delivered."""
    stage, chosen = context.stages["segments"], chosen_segments(context, segments)
    hold_out(context, chosen)
    build_stage(context, stage, rebuild)
    check_marts(context, stage, docs, fail_on_block)
    delivered = [deliver_segment(context, definition) for definition in chosen]
    publish_stage(context, stage)
    return delivered

"""Flow `transform`: build the marts, judge them, and switch readers over."""

from __future__ import annotations

from datetime import date
from typing import Literal

from prefect import flow

from regulars.dbt_project import Built
from regulars.quality.data_docs import DataDocs
from regulars.stages import Stage
from tasks.build import build_stage
from tasks.context import RunContext, open_context
from tasks.freshness import record_freshness
from tasks.gate import check_marts, data_docs
from tasks.naming import run_name
from tasks.publish import publish_stage
from tasks.writing import writing

MartStage = Literal["loyalty", "sales"]


@flow(name="transform", flow_run_name=run_name, description="Build, judge and publish the marts", persist_result=False)
def transform(
    as_of: date | None = None, stage: MartStage = "loyalty", rebuild: bool = False, fail_on_block: bool = True
) -> list[Built]:
    """Bring the marts of a stage up to what is landed; nothing is published unless the gate on marts lets it.

    Args:
        as_of: Business date; default the day before the scheduled one.
        stage: Which marts: loyalty or sales.
        rebuild: Build every day again from the landings, not only what changed.
        fail_on_block: End with an error where the gate on marts blocks; false publishes knowingly.
    """
    context = open_context("transform", as_of, stage=stage)
    with writing(context), data_docs(context) as docs:
        return build_and_publish(context, context.stages[stage], docs, rebuild, fail_on_block)


def build_and_publish(
    context: RunContext, stage: Stage, docs: DataDocs, rebuild: bool, fail_on_block: bool
) -> list[Built]:
    """Build the marts of a stage, judge them and switch readers over."""
    built = build_stage(context, stage, rebuild)
    judge_and_publish(context, stage, docs, fail_on_block)
    return built


def judge_and_publish(context: RunContext, stage: Stage, docs: DataDocs, fail_on_block: bool) -> None:
    """Judge what a stage shows and switch readers over; what of it is built by a stage before is shown with it."""
    record_freshness(context)
    check_marts(context, stage, docs, fail_on_block)
    publish_stage(context, stage)

"""Flow `customer-engagement`: a shared sheet, through the operational store, to `customer_engagement_summary`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from prefect import flow

from flows.ingest import land_and_load, load_landed
from flows.transform import judge_and_publish
from regulars.dbt_project import Built
from regulars.postgres.staging import StagedSheet
from regulars.quality.data_docs import DataDocs
from regulars.step_log import logger
from regulars.warehouse.base import Loaded
from tasks.artifacts import Progress, summary_artifact
from tasks.build import build_stage
from tasks.context import RunContext, open_context
from tasks.gate import check_raw, data_docs
from tasks.naming import run_name
from tasks.retire import retire_landings
from tasks.review import ReviewRead, take_review
from tasks.sheets import check_sheets, is_past, map_values, sheets_of, take_in
from tasks.staging import copy_ledger, stage_sheets
from tasks.way import way_artifact
from tasks.writing import writing

STAGE = "engagement"
# A subflow is handed the run's context: Prefect must neither check nor keep it.
PART = {"validate_parameters": False, "persist_result": False}


@dataclass(frozen=True)
class CustomerEngagement:
    """What one run did; `staged` is None for a day that is past, whose landing was taken as it is."""

    as_of: date
    staged: StagedSheet | None
    loaded: tuple[Loaded, ...]
    built: tuple[Built, ...]


@flow(name="customer-engagement", flow_run_name=run_name, persist_result=False)
def customer_engagement(
    as_of: date | None = None,
    refresh: bool = False,
    accept: list[str] | None = None,
    fail_on_block: bool = True,
    rebuild: bool = False,
) -> CustomerEngagement:
    """Take the operations team's sheet in, cleanse and stage it in PostgreSQL, and join it with DIM_PROJECT in the warehouse.

    Rows whose words or numbers nobody has explained yet wait; the run after a decision takes them along. Running it
    twice, or after a kill, ends in the same tables; where the sheet says what it said before, nothing is moved.

    Args:
        as_of: Business date; default the day before the scheduled one.
        refresh: Take the sheet in and transfer it again although it was, or the day is, done.
        accept: Tables that are taken in although a guard objects.
        fail_on_block: End with an error where a gate blocks; false goes on knowingly.
        rebuild: Build every day again from the landings, not only what changed.
    """
    context = open_context("customer-engagement", as_of, stage=STAGE, with_sheets=True)
    progress = Progress("customer-engagement-progress", steps=4)
    with writing(context), data_docs(context) as docs:
        staged, review = None, ReviewRead()
        if is_past(context, refresh):
            logger.info("%s is past: its landing counts, and the store keeps its newer sheet", context.run.as_of)
            loaded = load_landed(context)
        else:
            review = ingest_sheets(context, docs, refresh, fail_on_block)
            progress.advance()
            staged = transform_sheets(context)
            progress.advance()
            loaded = transfer_staged(context, refresh, accept or [])
            progress.advance()
        built = join_projects(context, docs, fail_on_block, rebuild)
        retire_landings(context)
        summary_artifact(context)
        way_artifact(context, staged, review)
        progress.advance()
        return CustomerEngagement(context.run.as_of, staged, tuple(loaded), tuple(built))


@flow(name="customer-engagement-ingest", **PART)
def ingest_sheets(context: RunContext, docs: DataDocs, refresh: bool, fail_on_block: bool) -> ReviewRead:
    """From the sheet into the store: cells as text, a proposal for every new word and number, and what people decided.

    Decisions come after the first proposals, so that those on a value, or a store, of today count today; words that were
    approved are vocabulary to others, which are proposed again then.
    """
    for sheet in sheets_of(context):
        take_in(context, sheet, refresh)
        map_values(context, sheet)
    review = take_review(context)
    for sheet in sheets_of(context) if review.changed else ():
        map_values(context, sheet)
    check_sheets(context, docs, fail_on_block)
    return review


@flow(name="customer-engagement-transform", **PART)
def transform_sheets(context: RunContext) -> StagedSheet:
    """Typed rows of what may be used, inside PostgreSQL; the other rows wait."""
    return stage_sheets(context)


@flow(name="customer-engagement-transfer", **PART)
def transfer_staged(context: RunContext, refresh: bool, accept: list[str]) -> list[Loaded]:
    """Staged rows and DIM_PROJECT into the landing and `raw`; nothing of what says what it said before."""
    loaded = land_and_load(context, refresh, accept, all_required=True)
    copy_ledger(context)
    return loaded


@flow(name="customer-engagement-join", **PART)
def join_projects(context: RunContext, docs: DataDocs, fail_on_block: bool, rebuild: bool) -> list[Built]:
    """Judge what arrived, join it with the projects, judge that, and switch readers over."""
    stage = context.stages[STAGE]
    check_raw(context, docs, fail_on_block)
    built = build_stage(context, stage, rebuild)
    judge_and_publish(context, stage, docs, fail_on_block)
    return built

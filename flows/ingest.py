"""Flow `ingest`: extract, land and load every configured table of one business date, then judge what arrived."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from prefect import flow
from prefect.futures import PrefectFuture

from regulars.errors import GuardBlocked, RegularsError
from regulars.step_log import logger
from regulars.warehouse.base import Loaded
from tasks.artifacts import Progress
from tasks.context import RunContext, open_context
from tasks.gate import check_raw, data_docs
from tasks.land import catch_up_table, land_table
from tasks.load import load_table
from tasks.naming import run_name
from tasks.snapshots import shared_snapshots
from tasks.writing import writing


@flow(
    name="ingest",
    flow_run_name=run_name,
    description="Extract, land and load the tables of one business date",
    persist_result=False,
)
def ingest(
    as_of: date | None = None,
    tables: list[str] | None = None,
    refresh: bool = False,
    accept: list[str] | None = None,
    fail_on_block: bool = True,
) -> list[Loaded]:
    """Bring one business date into `raw`.

    Args:
        as_of: Business date; default the day before the scheduled one.
        tables: Raw tables to read; default every table in sources.yml.
        refresh: Extract again although the day is landed; a changed source makes a new revision.
        accept: Tables that are taken in although a guard objects.
        fail_on_block: End with an error where the gate on raw blocks.
    """
    context = open_context("ingest", as_of, tables)
    with writing(context), data_docs(context) as docs:
        loaded = land_and_load(context, refresh, accept or [])
        check_raw(context, docs, fail_on_block)
        return loaded


def land_and_load(context: RunContext, refresh: bool, accept: list[str], *, all_required: bool = False) -> list[Loaded]:
    """The run's day of all tables; see `_side_by_side`."""
    return _side_by_side(
        context, lambda table: land_table.submit(context, table, refresh, table in accept), all_required
    )


def catch_up_and_load(context: RunContext, since: date | None, refresh: bool, accept: list[str]) -> list[Loaded]:
    """All days since the last landing of each table; see `_side_by_side`."""
    return _side_by_side(context, lambda table: catch_up_table.submit(context, table, since, refresh, table in accept))


def _side_by_side(
    context: RunContext, land: Callable[[str], PrefectFuture[Any]], all_required: bool = False
) -> list[Loaded]:
    """All tables side by side; a table that is not required may fail, and the run goes on with its last landed state.

    Raises RegularsError that says for every required table what went wrong, after the others were brought in.
    """
    tables = context.tables
    progress = Progress("ingest-progress", steps=2 * len(tables))
    failed: dict[str, RegularsError] = {}
    with shared_snapshots(context):
        landing = {table: land(table) for table in tables}
        for table, future in landing.items():
            future.wait()
            progress.advance()
            outcome = future.state.result(raise_on_failure=False)
            if isinstance(outcome, RegularsError):
                failed[table] = outcome
            elif isinstance(outcome, BaseException):
                raise outcome
    loaded = load_landed(context, progress.advance)
    _report_failures(context, failed, all_required)
    return loaded


def load_landed(context: RunContext, advance: Callable[[], None] = lambda: None) -> list[Loaded]:
    """What is landed of all tables, side by side; `advance` is called after each."""
    loaded = []
    for future in [load_table.submit(context, table) for table in context.tables]:
        loaded.append(future.result())
        advance()
    return loaded


def _report_failures(context: RunContext, failed: dict[str, RegularsError], all_required: bool) -> None:
    required = context.tables if all_required else [t for t in context.tables if context.sources.tables[t].required]
    missing = {table: error for table, error in failed.items() if table in required}
    for table, error in failed.items():
        if table not in missing:
            logger.warning("%s is not required: going on with its last landed state. %s", table, error.message)
    if missing:
        kind = GuardBlocked if all(isinstance(error, GuardBlocked) for error in missing.values()) else RegularsError
        raise kind(
            "\n".join(error.message for error in missing.values()),
            remedy="; ".join(sorted({error.remedy for error in missing.values() if error.remedy})),
        )

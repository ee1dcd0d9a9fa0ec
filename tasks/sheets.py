"""Sheets on their way into the operational store: taken in, mapped and judged."""

from __future__ import annotations

from prefect import task
from prefect.artifacts import create_markdown_artifact

from regulars.errors import ConfigError
from regulars.manifest import landed_days
from regulars.postgres.mappings import Proposed, propose
from regulars.postgres.sheet_intake import SheetTakenIn, take_in_sheet
from regulars.postgres.store import open_store
from regulars.quality.data_docs import DataDocs
from regulars.quality.gates import run_gate
from regulars.sheet_contracts import mapping_rules
from regulars.step_log import logger
from regulars.storage import open_storage
from tasks.context import RunContext
from tasks.retry import RETRIED, TASK


def sheets_of(context: RunContext) -> tuple[str, ...]:
    """Sheets that sources.yml names. Raises ConfigError where there is none."""
    if not context.sources.sheets:
        raise ConfigError(
            f"{context.settings.sources_path} has no sheets",
            remedy=f"add one of {', '.join(context.sheets)} under sheets:",
        )
    return tuple(context.sources.sheets)


def is_past(context: RunContext, refresh: bool) -> bool:
    """Whether a later day was landed already: sheets and projects only show their present state.

    Raises ConfigError for a past day that `refresh` would read again, or of which and before which nothing was landed.
    """
    storage, as_of = open_storage(context.settings.landing_root, context.settings.s3), context.run.as_of
    landed = [day for table in context.tables for day in landed_days(storage, table)]
    if not any(day > as_of for day in landed):
        return False
    if refresh or not any(day <= as_of for day in landed):
        raise ConfigError(
            f"{as_of} cannot be read any more: {max(landed)} is landed already, and a sheet only shows its present state",
            remedy="leave that day out; without refresh a day that was landed is built again from its landing",
        )
    return True


@task(name="take-in", task_run_name="take in {sheet}", timeout_seconds=3600, **RETRIED)
def take_in(context: RunContext, sheet: str, refresh: bool) -> SheetTakenIn:
    """Read a sheet and replace its table in the store; the same content changes nothing."""
    with context.step("take in", sheet) as facts, open_store(context.settings) as store:
        found = take_in_sheet(
            store, context.sheets[sheet], context.sources, context.settings, context.run, refresh=refresh
        )
        for note in found.notes:
            logger.info("%s", note)
        facts.update(
            status="loaded" if found.taken.created else "known",
            rows_read=found.taken.rows + found.rows_filtered,
            rows_loaded=found.taken.rows,
            rows_filtered=found.rows_filtered,
            bytes=found.taken.bytes,
        )
        return found


@task(name="map", task_run_name="map {sheet}", timeout_seconds=3600, **RETRIED)
def map_values(context: RunContext, sheet: str) -> tuple[Proposed, ...]:
    """Give every new word and number of a sheet a proposal; what people decided stays."""
    with context.step("map", sheet) as facts, open_store(context.settings) as store:
        found = propose(store, f"raw.{sheet}", mapping_rules(context.sheets[sheet]), context.run)
        facts.update(
            values=sum(one.values for one in found),
            values_new=sum(one.values_new for one in found),
            values_waiting=sum(one.values_waiting for one in found),
        )
        return found


@task(name="gate", task_run_name="gate sheets {context.run.as_of}", timeout_seconds=3600, **TASK)
def check_sheets(context: RunContext, docs: DataDocs, fail_on_block: bool) -> None:
    """Judge the sheets as they were taken in. Raises GateBlocked, and what was staged before stays as it was."""
    with context.step("gate", "sheets") as facts:
        result = run_gate(
            "sheets",
            sheets_of(context),
            settings=context.settings,
            run=context.run,
            contracts=context.sheets,
            docs=docs,
        )
        context.warehouse.record("dq_check_logs", result.rows())
        create_markdown_artifact(result.markdown(), key="checks-sheets", description="Gate on sheets")
        facts.update(checks=len(result.checks), failed=sum(check.is_bad for check in result.checks))
        result.raise_if_blocked(fail_on_block)

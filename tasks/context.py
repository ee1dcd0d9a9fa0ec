"""What every task of a run needs: settings with blocks resolved, contracts, sources and the run's identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from threading import Lock
from time import monotonic
from typing import Any
from uuid import uuid4

from prefect.runtime import flow_run

from regulars.batches import default_as_of
from regulars.contracts import Contract, read_contracts
from regulars.engine_errors import plain_errors
from regulars.errors import ConfigError, RegularsError
from regulars.own_addresses import reads_store, with_own_addresses
from regulars.proofs import Proofs
from regulars.run import Run
from regulars.settings import Settings, load_settings
from regulars.sheet_contracts import read_sheet_contracts
from regulars.sources.config import Sources, read_sources
from regulars.stages import read_stages
from regulars.step_log import log_step
from regulars.warehouse import Warehouse, open_warehouse
from tasks.blocks import resolve_block, with_blocks, with_store


class RunContext:
    """Not a dataclass on purpose: Prefect walks into dataclasses that it is handed, and copies them."""

    def __init__(
        self, settings: Settings, run: Run, contracts: Mapping[str, Contract], sources: Sources, tables: tuple[str, ...],
        sheets: Mapping[str, Contract] | None = None,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.run = run
        self.contracts = contracts
        self.sheets = sheets or {}
        self.sources = sources
        self.tables = tables
        self.stages = read_stages(settings.dbt_project_dir, contracts)
        self.warehouse: Warehouse = open_warehouse(settings, run)
        self.proofs = Proofs(self.warehouse, run, settings)
        # Jobs of movers by (mover, sync): who has them in hand, and with which error they ended (None: with none).
        self.moving: dict[tuple[str, str], Lock] = {}
        self.moved: dict[tuple[str, str], RegularsError | None] = {}

    @contextmanager
    def step(self, stage: str, table: str = "", run: Run | None = None) -> Iterator[dict[str, Any]]:
        """Write one line to the step log when the body ends; the body may add counts to the dictionary it gets."""
        started, facts = monotonic(), dict[str, Any]()
        ended = "failed"
        try:
            with plain_errors(f"{stage} {table}".strip()):
                yield facts
            ended = facts.get("status", "done")
        except RegularsError as error:
            facts["message"] = error.message
            raise
        finally:
            facts["status"] = ended
            log_step(
                self.settings, run or self.run, stage, at=utc_now(), seconds=monotonic() - started, table=table, **facts
            )


@plain_errors("reading settings and sources")
def open_context(
    flow_name: str,
    as_of: date | None,
    tables: list[str] | None = None,
    *,
    stage: str | None = None,
    with_sheets: bool = False,
) -> RunContext:
    """Settings, contracts and sources for one flow run; `as_of` defaults to the day before the scheduled one.

    The run's tables are `tables`, or those of a stage, or all of sources.yml. Raises ConfigError where `tables` names one that
    sources.yml does not have, or it has none of the stage.
    """
    settings = with_blocks(load_settings())
    contracts, sheets = read_contracts(settings.dbt_project_dir / "models" / "staging"), read_sheet_contracts(settings)
    read = tables or (read_stages(settings.dbt_project_dir, contracts)[stage].tables if stage else contracts)
    needed = {*read, *(sheets if with_sheets else ())}  # a run asks for no secret of a system that it does not read
    sources = read_sources(settings.sources_path, contracts, resolve_block, needed=needed, sheets=sheets)
    if with_sheets or reads_store(sources, needed):
        settings = with_store(settings)
    sources = with_own_addresses(sources, settings, needed)
    unknown = set(tables or ()) - set(sources.tables)
    if unknown:
        raise ConfigError(
            f"{settings.sources_path} has no table {', '.join(sorted(unknown))}",
            remedy=f"one of: {', '.join(sources.tables)}",
        )
    context = RunContext(
        settings, current_run(flow_name, as_of, settings), contracts, sources, tuple(tables or sources.tables), sheets
    )
    if stage is not None:
        context.tables = tuple(table for table in context.tables if table in context.stages[stage].tables)
        if not context.tables:
            raise ConfigError(
                f"{settings.sources_path} has no table for {flow_name}",
                remedy=f"add some of: {', '.join(context.stages[stage].tables)}",
            )
    return context


def current_run(flow_name: str, as_of: date | None, settings: Settings) -> Run:
    scheduled = flow_run.scheduled_start_time or datetime.now(UTC)
    day = as_of or default_as_of(scheduled, settings.zone)
    return Run(run_id=str(flow_run.id or uuid4()), flow=flow_name, as_of=day, started_at=utc_now())


def utc_now() -> datetime:
    """The clock, for records of running only; no value of it reaches data."""
    return datetime.now(UTC).replace(tzinfo=None)

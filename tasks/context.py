"""What every task of a run needs: settings with blocks resolved, contracts, sources and the run's identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from time import monotonic
from typing import Any
from uuid import uuid4

from prefect.runtime import flow_run

from regulars.batches import default_as_of
from regulars.contracts import Contract, read_contracts
from regulars.engine_errors import plain_errors
from regulars.errors import ConfigError, RegularsError
from regulars.garbage_collection import seldom_collected
from regulars.ledger import run_row
from regulars.postgres.embedded import with_embedded
from regulars.proofs import Proofs
from regulars.run import Run
from regulars.settings import Settings, load_settings
from regulars.sources.config import Sources, read_sources
from regulars.spool import clear_spool
from regulars.step_log import log_step
from regulars.warehouse import Warehouse, open_warehouse
from tasks.blocks import resolve_block, with_blocks


class RunContext:
    """Not a dataclass on purpose: Prefect walks into dataclasses that it is handed, and copies them."""

    def __init__(
        self, settings: Settings, run: Run, contracts: Mapping[str, Contract], sources: Sources, tables: tuple[str, ...]
    ) -> None:
        self.settings = settings
        self.run = run
        self.contracts = contracts
        self.sources = sources
        self.tables = tables
        self.warehouse: Warehouse = open_warehouse(settings, run)
        self.proofs = Proofs(self.warehouse, run, settings)

    @contextmanager
    def step(self, stage: str, table: str = "") -> Iterator[dict[str, Any]]:
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
            log_step(self.settings, self.run, stage, at=utc_now(), seconds=monotonic() - started, table=table, **facts)


@plain_errors("reading settings and sources")
def open_context(flow_name: str, as_of: date | None, tables: list[str] | None = None) -> RunContext:
    """Settings, contracts and sources for one flow run; `as_of` defaults to the day before the scheduled one.

    Raises ConfigError where `tables` names one that sources.yml does not have.
    """
    settings = with_blocks(load_settings())
    contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
    sources = with_embedded(read_sources(settings.sources_path, contracts, resolve_block), settings)
    unknown = set(tables or ()) - set(sources.tables)
    if unknown:
        raise ConfigError(
            f"{settings.sources_path} has no table {', '.join(sorted(unknown))}",
            remedy=f"one of: {', '.join(sources.tables)}",
        )
    return RunContext(
        settings, current_run(flow_name, as_of, settings), contracts, sources, tuple(tables or sources.tables)
    )


def current_run(flow_name: str, as_of: date | None, settings: Settings) -> Run:
    scheduled = flow_run.scheduled_start_time or datetime.now(UTC)
    day = as_of or default_as_of(scheduled, settings.zone)
    return Run(run_id=str(flow_run.id or uuid4()), flow=flow_name, as_of=day, started_at=utc_now())


def utc_now() -> datetime:
    """The clock, for records of running only; no value of it reaches data."""
    return datetime.now(UTC).replace(tzinfo=None)


@contextmanager
def writing(context: RunContext) -> Iterator[Warehouse]:
    """Hold the warehouse for one flow run, alone, and record in `ops.runs` how the run ended."""
    with seldom_collected(), context.warehouse as warehouse:
        warehouse.prepare(context.contracts)
        clear_spool(context.settings)
        status, message = "failed", ""
        try:
            with plain_errors(context.run.flow):
                yield warehouse
            context.proofs.forget()
            status = "completed"
        except RegularsError as error:
            message = error.message
            raise
        finally:
            row = run_row(
                context.run, context.settings, context.contracts, status=status, message=message, finished_at=utc_now()
            )
            warehouse.replace_records("runs", ["run_id"], [row])

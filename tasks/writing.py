"""The warehouse in the hands of one flow run, and the record of how the run ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from regulars.engine_errors import plain_errors
from regulars.errors import RegularsError
from regulars.garbage_collection import seldom_collected
from regulars.ledger import run_row
from regulars.spool import clear_spool
from regulars.warehouse import Warehouse
from tasks.context import RunContext, utc_now


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

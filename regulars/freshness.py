"""How old the newest landing of each table is on a business date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal

from regulars.contracts import Contract
from regulars.sources.config import Sources
from regulars.warehouse.base import Warehouse


@dataclass(frozen=True)
class Freshness:
    """`age_days` counts from `last_as_of` to `as_of`; both are None for a table that never landed."""

    table_name: str
    last_as_of: date | None
    age_days: int | None
    status: Literal["fresh", "stale", "overdue", "never", "absent"]
    is_required: bool
    as_of: date

    @property
    def is_late(self) -> bool:
        """Later than its contract promises, or promised and never there."""
        return self.status in ("stale", "overdue") or (self.status == "never" and self.is_required)

    def row(self, checked_at: datetime) -> dict[str, Any]:
        return {**asdict(self), "checked_at": checked_at}


def freshness_on(
    warehouse: Warehouse, contracts: Mapping[str, Contract], sources: Sources, as_of: date
) -> list[Freshness]:
    """State of every contract on `as_of`: stale and overdue by the contract's warn and error limits, absent without a source."""
    newest = dict(
        warehouse.query(
            "select table_name, max(as_of) from ops.effective_batches where as_of <= ? group by table_name", [as_of]
        )
    )
    return [_judge(contract, newest.get(table), sources, as_of) for table, contract in sorted(contracts.items())]


def _judge(contract: Contract, last: date | None, sources: Sources, as_of: date) -> Freshness:
    source = sources.tables.get(contract.table)
    age = (as_of - last).days if last else None
    status: Literal["fresh", "stale", "overdue", "never", "absent"] = "fresh"
    if age is None:
        status = "never" if source else "absent"
    elif contract.error_after_days is not None and age > contract.error_after_days:
        status = "overdue"
    elif contract.warn_after_days is not None and age > contract.warn_after_days:
        status = "stale"
    return Freshness(contract.table, last, age, status, bool(source and source.required), as_of)

"""The algebra of batches: what a batch is, which of them count, and which stretch of time a day is.

Pure functions: no I/O, no clock. `effective` is mirrored by the view `ops.effective_batches`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Scope = Literal["full", "add"]


@dataclass(frozen=True, order=True)
class Batch:
    """What was landed for one table and business date in one go.

    Revisions count from 1. `content` is a digest over the landed files, so that equal landings have equal identifiers.
    """

    table: str
    as_of: date
    revision: int
    scope: Scope
    content: str

    @property
    def batch_id(self) -> str:
        facts = "\n".join([self.table, self.as_of.isoformat(), str(self.revision), self.scope, self.content])
        return hashlib.sha256(facts.encode()).hexdigest()[:20]


def effective(batches: Iterable[Batch]) -> set[Batch]:
    """The batches that count: per table and day the newest `full` one and every `add` revised after it."""
    found = set(batches)
    newest_full: dict[tuple[str, date], int] = {}
    for batch in found:
        if batch.scope == "full":
            day = (batch.table, batch.as_of)
            newest_full[day] = max(newest_full.get(day, 0), batch.revision)

    def counts(batch: Batch) -> bool:
        newest = newest_full.get((batch.table, batch.as_of), 0)
        return batch.revision == newest if batch.scope == "full" else batch.revision > newest

    return {batch for batch in found if counts(batch)}


@dataclass(frozen=True)
class BusinessDay:
    """A business date in a zone; `start` and `end` bound it, half-open, in UTC without zone.

    Days of 23 and 25 hours (clock changes) are one day each.
    """

    as_of: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        return _utc_midnight(self.as_of, self.zone)

    @property
    def end(self) -> datetime:
        return _utc_midnight(self.as_of + timedelta(days=1), self.zone)

    def window(self, lookback_days: int) -> tuple[datetime, datetime]:
        """The day and `lookback_days` before it, half-open, UTC without zone."""
        return BusinessDay(self.as_of - timedelta(days=lookback_days), self.zone).start, self.end


def default_as_of(scheduled_at: datetime, zone: ZoneInfo) -> date:
    """The day that was over when the one began on which a run was scheduled, in the business zone.

    That is the day before; where a zone skipped a day (Pacific/Apia, 30 December 2011), the one before that.
    """
    today = BusinessDay(scheduled_at.astimezone(zone).date(), zone)
    last_moment = (today.start - timedelta(microseconds=1)).replace(tzinfo=UTC)
    return last_moment.astimezone(zone).date()


def _utc_midnight(day: date, zone: ZoneInfo) -> datetime:
    # A zone may skip midnight itself (some change clocks at 00:00): fold 0 then gives the first moment after the gap.
    local = datetime(day.year, day.month, day.day, tzinfo=zone)
    return local.astimezone(UTC).replace(tzinfo=None)

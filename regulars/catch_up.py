"""Which business days of a table a run lands that is not run every day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from regulars.contracts import Contract
from regulars.manifest import committed_folders, landed_days
from regulars.settings import Settings
from regulars.sources import reader_for
from regulars.sources.base import make_request
from regulars.sources.config import Sources
from regulars.storage import Storage

LONGEST = 31  # days that are landed one by one


@dataclass(frozen=True)
class Due:
    """One landing. Its window of events reaches back to `since`, if given; one that `may_lack` passes where no file is there."""

    as_of: date
    since: date | None = None
    may_lack: bool = False


def days_due(
    contract: Contract, sources: Sources, settings: Settings, storage: Storage, as_of: date, since: date | None
) -> Sequence[Due]:
    """Landings that bring a table from what is landed (or from `since` on) to `as_of`, oldest first.

    A source with dated files or queries has a landing per day, and days without a file are passed over as long as one of them has one.
    Events and changes of any other are cut out by day as well, so that history knows the day of each; but after `LONGEST` days, or from
    `since` on, they are landed at once, by the window of `as_of`. A live snapshot has its present state only.
    """
    request = make_request(contract, sources, settings, as_of)
    before = [day for day in landed_days(storage, contract.table) if day < as_of]
    newest = max((day for day in before if committed_folders(storage, contract.table, day)), default=None)
    first = since or (newest + timedelta(days=1) if newest else as_of)
    days = [first + timedelta(days=n) for n in range((as_of - first).days + 1)] or [as_of]
    if reader_for(request.connection.kind).is_dated(request):
        return [Due(day, may_lack=len(days) > 1) for day in days]
    if contract.mode == "snapshot":
        return [Due(as_of)]
    if since or len(days) > LONGEST:
        return [Due(as_of, first)]
    return [Due(day) for day in days]

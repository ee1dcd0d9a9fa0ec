"""What a sheet's sample is made from. Equal specifications give equal sheets everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from regulars.errors import ConfigError


@dataclass(frozen=True)
class EngagementSpec:
    """`clients` with their projects over the `months` months before the first of three evenings.

    On the first the sheet holds the planted faults; on the second people have decided about words and numbers, and
    changed rows; on the third nothing has changed. Raises ConfigError for a sheet too small to hold the faults.
    """

    clients: int = 240
    months: int = 36
    seed: int = 7
    start: date = date(2026, 1, 5)
    faults: bool = True

    def __post_init__(self) -> None:
        if self.clients < 20 or self.months < 12:
            raise ConfigError("a sheet's sample has at least 20 clients and 12 months")

    @property
    def evenings(self) -> tuple[date, date, date]:
        return self.start, self.start + timedelta(days=1), self.start + timedelta(days=2)

    def month(self, back: int) -> date:
        """First day of a month, counted back from the one before `start`: 0 is the newest month in the sheet."""
        whole = self.start.year * 12 + self.start.month - 2 - back
        return date(whole // 12, whole % 12 + 1, 1)

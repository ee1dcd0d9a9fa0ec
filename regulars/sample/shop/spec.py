"""What a shop's sample is made from. Equal specifications give equal rows everywhere."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from regulars.errors import ConfigError

WEEK = 7


@dataclass(frozen=True)
class ShopSpec:
    """A history of `weeks` weeks from Monday `start`, and two weeks after it in which faults are planted; zone UTC.

    `customers` on the first day, with one in a thousand joining every day; `orders_per_day` on a usual day of the first week.
    Raises ConfigError for a shop too small to hold the faults.
    """

    customers: int = 1200
    products: int = 120
    orders_per_day: int = 40
    weeks: int = 77
    seed: int = 7
    start: date = date(2024, 7, 1)
    faults: bool = True

    def __post_init__(self) -> None:
        if self.start.isoweekday() != 1:
            raise ConfigError(f"a shop's sample starts on a Monday, not on {self.start}")
        if min(self.customers, self.products, self.orders_per_day) < 20 or self.weeks < 10:
            raise ConfigError("a shop's sample has at least 20 customers, products and orders a day, and 10 weeks")

    @property
    def joins_per_day(self) -> int:
        """New customers each day after the first."""
        return max(1, self.customers // 1000)

    @property
    def evenings(self) -> tuple[date, date, date]:
        """Sundays on which the weekly refresh is played: the end of the history, and the two weeks after it."""
        last = self.start + timedelta(days=self.weeks * WEEK - 1)
        return last, last + timedelta(days=WEEK), last + timedelta(days=2 * WEEK)

    def index_of(self, day: date) -> int:
        """0 for the first day. Raises ConfigError for a day outside the sample."""
        index = (day - self.start).days
        if not 0 <= index < (self.weeks + 2) * WEEK:
            raise ConfigError(
                f"{day} is not a day of this shop ({self.start} to {self.evenings[2]})", remedy="name one of its days"
            )
        return index

    def fingerprint(self) -> str:
        """Hash of everything that rows depend on, 16 hex digits."""
        return hashlib.sha256(repr(sorted(asdict(self).items())).encode()).hexdigest()[:16]

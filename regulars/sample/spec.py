"""What a sample is made from: scale, days, seed. Equal specifications give equal rows everywhere."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from regulars.errors import ConfigError

RESERVED = 64  # the last of the first users: they act only as planted faults say
SMALLEST = 500


@dataclass(frozen=True)
class SampleSpec:
    """`users` accounts on the first day, `days` business days from `start` on; zone UTC.

    `faults=False` leaves out everything that is planted. Raises ConfigError for a sample too small to hold the faults.
    """

    users: int = 3000
    days: int = 5
    seed: int = 7
    start: date = date(2026, 1, 5)
    faults: bool = True

    def __post_init__(self) -> None:
        if not SMALLEST <= self.users <= 50_000_000:
            raise ConfigError(f"a sample has {SMALLEST} to 50000000 users, not {self.users}")
        if self.days < 1:
            raise ConfigError(f"a sample has at least one day, not {self.days}")

    @property
    def joins_per_day(self) -> int:
        """New accounts each day after the first."""
        return max(1, self.users // 1000)

    def day_at(self, index: int) -> date:
        return self.start + timedelta(days=index)

    def index_of(self, day: date) -> int:
        """0 for the first day. Raises ConfigError for a day outside the sample."""
        index = (day - self.start).days
        if not 0 <= index < self.days:
            raise ConfigError(
                f"{day} is not a day of this sample ({self.start} to {self.day_at(self.days - 1)})",
                remedy="name one of its days, or make a sample of more days",
            )
        return index

    def all_days(self) -> list[date]:
        return [self.day_at(index) for index in range(self.days)]

    def fingerprint(self) -> str:
        """Hash of everything that rows depend on (`days` only says how far one may play), 16 hex digits."""
        facts = {name: str(value) for name, value in asdict(self).items() if name != "days"}
        return hashlib.sha256(repr(sorted(facts.items())).encode()).hexdigest()[:16]


def user_name(number: int) -> str:
    """Account number of the n-th user."""
    return f"U{number:08d}"


def micros_at(day: date) -> int:
    """Start of the day in microseconds since 1970, UTC."""
    return (datetime(day.year, day.month, day.day) - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001

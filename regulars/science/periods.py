"""Days, weeks, months and quarters as whole numbers, so that a series is an array."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Dates = NDArray[np.datetime64]
Numbers = NDArray[np.int64]

MONDAY = 3  # 1970-01-01 was a Thursday: weeks that begin on Monday are counted from three days before


class Frequency(StrEnum):
    """How long a period is. Weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"

    @property
    def season(self) -> int:
        """Periods after which a season comes again: a week of days, a year of the others."""
        return {Frequency.DAY: 7, Frequency.WEEK: 52, Frequency.MONTH: 12, Frequency.QUARTER: 4}[self]

    def number(self, dates: Dates) -> Numbers:
        """The period of each date, counted from the one of 1970-01-01."""
        if self in (Frequency.DAY, Frequency.WEEK):
            days = dates.astype("datetime64[D]").astype(np.int64)
            return days if self is Frequency.DAY else (days + MONDAY) // 7
        months = dates.astype("datetime64[M]").astype(np.int64)
        return months if self is Frequency.MONTH else months // 3

    def first_day(self, numbers: Numbers) -> Dates:
        """The first day of each period."""
        if self in (Frequency.DAY, Frequency.WEEK):
            days = numbers if self is Frequency.DAY else numbers * 7 - MONDAY
            return days.astype("datetime64[D]")
        return (numbers if self is Frequency.MONTH else numbers * 3).astype("datetime64[M]").astype("datetime64[D]")

    def last_complete(self, as_of: date) -> int:
        """The newest period that has ended with the day `as_of`."""
        return int(self.number(np.array([as_of + timedelta(days=1)], dtype="datetime64[D]"))[0]) - 1

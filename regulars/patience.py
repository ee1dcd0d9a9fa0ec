"""Waits between the tries of a request that may heal."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 60.0  # seconds; quotas are filled up every minute


class Patience:
    """Half a second to a minute between tries, each wait longer than the last, until `budget` seconds have passed since it began."""

    def __init__(self, budget: float) -> None:
        self.tries = 0
        self._budget, self._began = budget, time.monotonic()

    def pause(self, at_least: float | None = None) -> bool:
        """Wait before another try, `at_least` so many seconds. False, at once, where that would go past the budget."""
        self.tries += 1
        wait = min(LONGEST_WAIT, 2 ** min(self.tries - 2, 10)) * random.uniform(0.5, 1)  # noqa: S311  spreads tries
        wait = max(wait, at_least or 0)
        if time.monotonic() - self._began + wait > self._budget:
            return False
        time.sleep(wait)
        return True


def retry_after(header: str | None) -> float | None:
    """Seconds that a `Retry-After` header asks for: a number, or a date (RFC 9110, 10.2.3)."""
    if not header:
        return None
    if header.isdigit():
        return float(header)
    try:
        return (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None

"""Judging the points of a time series by those before them that have the same place in the season.

A point is compared with the median of earlier points of its slot (a weekday, a time of day), in units of their median absolute deviation
(Leys and others 2013). A slot has few points, so its spread is taken to be at least that of the newest points of all slots around their
medians. Points that were flagged are not learned from, so that one odd day does not hide the next.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import median

MAD_TO_SIGMA = 1.4826  # of a normal distribution
LEAST_SPREAD = 0.05  # share of the centre: a slot that never changed has no spread, and a cent more is nothing odd
POOLED = 56  # newest deviations, of whatever slot, that a spread is taken from as well
RELEARN_AFTER = 3  # points of one slot flagged in a row to the same side: the level has changed


@dataclass(frozen=True)
class Judged:
    """One point. `expected`, bounds and `score` are None where too few points came before (`is_judged` false)."""

    value: float
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    score: float | None = None
    is_flagged: bool = False

    @property
    def is_judged(self) -> bool:
        return self.score is not None


def judge_series(
    values: Sequence[float], slots: Sequence[Hashable], *, limit: float = 4.0, least: int = 4, window: int = 8
) -> list[Judged]:
    """Verdicts in the order of `values`, which is that of time; each is made from strictly earlier points alone.

    A point is flagged at `limit` spreads or more from the median of the last `window` unflagged points of its slot; with fewer than `least`
    of them it is not judged. After three flagged points in a row on one side the slot learns the new level from them.
    """
    learned: dict[Hashable, deque[float]] = defaultdict(lambda: deque(maxlen=window))
    refused: dict[Hashable, list[tuple[float, float]]] = defaultdict(list)
    deviations: deque[float] = deque(maxlen=POOLED)
    verdicts = []
    for value, slot in zip(values, slots, strict=True):
        known = learned[slot]
        if len(known) < least:
            known.append(value)
            verdicts.append(Judged(value))
            continue
        verdict = _judge(value, known, deviations, limit)
        verdicts.append(verdict)
        if not verdict.is_flagged:
            refused[slot].clear()
            known.append(value)
            deviations.append(abs(value - median(known)))
            continue
        side = verdict.score or 0.0
        refused[slot] = [one for one in refused[slot] if (one[1] > 0) == (side > 0)] + [(value, side)]
        if len(refused[slot]) >= RELEARN_AFTER:
            known.clear()
            known.extend(number for number, _ in refused[slot])
            refused[slot].clear()
    return verdicts


def _judge(value: float, known: Sequence[float], deviations: Sequence[float], limit: float) -> Judged:
    centre = median(known)
    own = median(abs(one - centre) for one in known)
    pooled = median(deviations) if deviations else 0.0
    spread = max(MAD_TO_SIGMA * max(own, pooled), LEAST_SPREAD * abs(centre), 1e-9)
    score = round((value - centre) / spread, 6)
    return Judged(value, centre, centre - limit * spread, centre + limit * spread, score, abs(score) >= limit)

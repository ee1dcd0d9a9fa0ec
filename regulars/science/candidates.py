"""Models that compete for a series, the simplest first. They are statsforecast's; none compiles for long."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm
from statsforecast import models

from regulars.science.columns import Floats

LEVELS = (80, 95)
YEAR_OF_DAYS = 365
GREATEST_ETS_SEASON = 24
INTERMITTENT = 0.25  # share of periods without a sale from which models for rare demand compete
AVERAGED_SEASONS = 4
ROLLED = 8  # earlier origins whose errors make the intervals of models without any of their own


@dataclass(frozen=True)
class Prediction:
    """Arrays of horizon length; `lower` and `upper` by level in percent."""

    mean: Floats
    lower: dict[int, Floats]
    upper: dict[int, Floats]


@dataclass(frozen=True)
class Candidate:
    """`make(history)` gives the model for a history. Its intervals come from errors at `rolled` earlier origins.

    0: the model has its own. (MSTL has too, but they forget that the season was fitted: they held 40 % instead of 80.)
    """

    name: str
    make: Callable[[Floats], Any]
    rolled: int = 0


def list_candidates(season: int, years: bool, zero_share: float) -> list[Candidate]:
    """Those that make sense for a series, the simplest first; seasonal naive is always the first.

    `years`: whether days are long enough known (`knows_years`) for the season of the year beside that of the week.
    """
    cycles = [season, YEAR_OF_DAYS] if years else [season]
    found = [
        Candidate("seasonal_naive", lambda y: models.SeasonalNaive(season_length=season)),
        Candidate("naive", lambda y: models.Naive()),
        Candidate("mean", lambda y: models.HistoricAverage()),
        Candidate("drift", lambda y: models.RandomWalkWithDrift()),
        Candidate(
            "seasonal_average",
            lambda y: models.SeasonalWindowAverage(season, window_size=min(AVERAGED_SEASONS, len(y) // season)),
            rolled=ROLLED,
        ),
    ]
    if zero_share >= INTERMITTENT:
        found += [
            Candidate("croston_sba", lambda y: models.CrostonSBA(), rolled=ROLLED),
            Candidate("adida", lambda y: models.ADIDA(), rolled=ROLLED),
        ]
    found.append(Candidate("theta", lambda y: models.OptimizedTheta(season_length=season)))
    if season <= GREATEST_ETS_SEASON:
        found.append(Candidate("ets", lambda y: models.AutoETS(season_length=season, model="AZA")))
    found.append(
        Candidate("mstl_ets", lambda y: models.MSTL(cycles, trend_forecaster=models.AutoETS(model="AZN")), rolled=1)
    )
    return found


def knows_years(days: int, horizon: int) -> bool:
    """Whether a history of so many days tells the season of the year, also at the earlier origin of its intervals."""
    return days >= 2 * YEAR_OF_DAYS + horizon


def predict(candidate: Candidate, history: Floats, horizon: int, season: int) -> Prediction:
    """What the candidate says of the `horizon` periods after `history`: never below 0.

    Histories are scaled by their greatest value, so that no model meets squares that overflow. Raises ValueError where
    it says nothing finite, and what the model raises.
    """
    scale = float(np.abs(history).max()) or 1.0
    scaled = history / scale
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # models warn of what is judged below by what they say
        if not candidate.rolled:
            said = candidate.make(scaled).forecast(y=scaled, h=horizon, level=list(LEVELS))
            lower = {level: np.asarray(said[f"lo-{level}"]) for level in LEVELS}
            upper = {level: np.asarray(said[f"hi-{level}"]) for level in LEVELS}
            mean = np.asarray(said["mean"])
        else:
            mean = candidate.make(scaled).forecast(y=scaled, h=horizon)["mean"]
            spread = _roll(candidate, scaled, horizon, season)
            reach = {level: spread * float(norm.ppf(0.5 + level / 200)) for level in LEVELS}
            lower = {level: mean - reach[level] for level in LEVELS}
            upper = {level: mean + reach[level] for level in LEVELS}
    if not all(np.isfinite(values).all() for values in (mean, *lower.values(), *upper.values())):
        raise ValueError("it gave a value that is not finite")

    def sold(values: Floats) -> Floats:
        return np.maximum(np.asarray(values, dtype=np.float64), 0.0) * scale

    return Prediction(
        sold(mean),
        {level: sold(values) for level, values in lower.items()},
        {level: sold(values) for level, values in upper.items()},
    )


def _roll(candidate: Candidate, history: Floats, horizon: int, season: int) -> float:
    """Root mean square of errors up to `horizon` ahead from earlier origins within `history`, whole seasons back.

    One origin lies the horizon back; several lie one, two, ... seasons back.
    """
    backs = [-(-horizon // season)] if candidate.rolled == 1 else range(1, candidate.rolled + 1)
    errors = []
    for back in sorted({min(back, len(history) // season - 1) for back in backs}):
        origin = len(history) - back * season
        steps = min(horizon, back * season)
        said = candidate.make(history[:origin]).forecast(y=history[:origin], h=steps)["mean"]
        errors.append(history[origin : origin + steps] - said)
    return float(np.sqrt((np.concatenate(errors) ** 2).mean()))

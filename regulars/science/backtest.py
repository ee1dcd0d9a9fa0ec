"""Candidates forecast what is already known, from several origins, and the best is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regulars.science.accuracy import Accuracy, coverage_pct, measure_accuracy, seasonal_scale
from regulars.science.candidates import LEVELS, Candidate, Prediction, predict
from regulars.science.columns import Floats

TIE = 1e-9  # relative: rounding must not decide between models


@dataclass(frozen=True)
class Trial:
    """How a candidate did; `accuracy` is None where it failed, for `reason`."""

    candidate: Candidate
    accuracy: Accuracy | None
    coverage: dict[int, float]
    reason: str = ""


def backtest(
    values: Floats, candidates: Sequence[Candidate], *, horizon: int, season: int, windows: int
) -> list[Trial]:
    """Each candidate on the last `windows` stretches of `horizon` periods, knowing only what came before each.

    Errors of all stretches count alike; what MASE divides by is of the shortest training part.
    """
    origins = [len(values) - horizon * back for back in range(windows, 0, -1)]
    scale = seasonal_scale(values[: origins[0]], season)
    actual = values[origins[0] :]
    trials = []
    for candidate in candidates:
        try:
            said = [predict(candidate, values[:origin], horizon, season) for origin in origins]
        except Exception as error:  # a model of a library that cannot do with a series leaves the field to the others
            trials.append(Trial(candidate, None, {}, f"{type(error).__name__}: {error}"))
            continue
        trials.append(Trial(candidate, measure_accuracy(actual, _join(said), scale), _cover(actual, said)))
    return trials


def rank(trials: Sequence[Trial]) -> list[Trial]:
    """Trials that may be chosen, the best first and seasonal naive, the first of `trials`, last.

    The best has the smallest RMSE, since the mean is what adds up to a plan, among those whose MAE is not greater than
    seasonal naive's: so the chosen one is worse in neither. Of equal ones the simpler, that is the earlier one, wins.
    """
    naive = trials[0]
    most = naive.accuracy.mae * (1 + TIE) if naive.accuracy else np.inf
    left, ranked = [trial for trial in trials if trial.accuracy and trial.accuracy.mae <= most], []
    while left:
        least = min(_rmse(trial) for trial in left)
        best = next(trial for trial in left if _rmse(trial) <= least * (1 + TIE))
        ranked.append(best)
        left = [] if best is naive else [trial for trial in left if trial is not best]
    return ranked


def _rmse(trial: Trial) -> float:
    return trial.accuracy.rmse if trial.accuracy else np.inf


def _join(said: Sequence[Prediction]) -> Floats:
    return np.concatenate([one.mean for one in said])


def _cover(actual: Floats, said: Sequence[Prediction]) -> dict[int, float]:
    return {
        level: coverage_pct(
            actual,
            np.concatenate([one.lower[level] for one in said]),
            np.concatenate([one.upper[level] for one in said]),
        )
        for level in LEVELS
    }

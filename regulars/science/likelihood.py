"""Maximum likelihood over positive parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from regulars.science.columns import Floats, Places

# What is looked for lies between these: beyond, a limit of the model (such as "everybody is alike") is not told apart.
SMALLEST, GREATEST = 1e-5, 1e4
GAIN = 1e-8  # mean log-likelihood still to be won below which a search has arrived
STEP = 1e-4  # of differences, in the logarithms
LEAST_CURVATURE = 1e-3  # where the likelihood is flatter than that, it is taken to be that curved


@dataclass(frozen=True)
class Maximum:
    """Where a log-likelihood is greatest; `is_reached` is false where the search stopped on a slope."""

    at: Floats
    log_likelihood: float
    is_reached: bool
    at_limit: tuple[str, ...]  # names of what ran into SMALLEST or GREATEST


def maximise(
    log_likelihood: Callable[[Floats], tuple[float, Floats]],
    names: Sequence[str],
    starts: Sequence[Sequence[float]],
    weight: float,
) -> Maximum:
    """The greatest `log_likelihood`, which gives its value and its gradient for positive numbers called `names`.

    Their logarithms are what is searched (L-BFGS-B), from each of `starts`; the value is divided by `weight`, the number
    of observations, so that tolerances do not depend on it.
    """

    def descent(logs: Floats) -> tuple[float, Floats]:
        at = np.exp(logs)
        value, gradient = log_likelihood(at)
        return -value / weight, -gradient * at / weight

    lowest, highest = np.log(SMALLEST), np.log(GREATEST)
    found = [
        minimize(
            descent,
            np.clip(np.log(start), lowest, highest),
            jac=True,
            method="L-BFGS-B",
            bounds=[(lowest, highest)] * len(names),
            options={"maxiter": 500, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 20},
        )
        for start in starts
    ]
    best = min(found, key=lambda one: float(one.fun))
    lower, upper = best.x <= lowest, best.x >= highest
    slope = np.where(lower, np.minimum(best.jac, 0), np.where(upper, np.maximum(best.jac, 0), best.jac))
    inside = np.flatnonzero(~(lower | upper) | (slope != 0))
    return Maximum(
        np.exp(best.x),
        -float(best.fun) * weight,
        bool(np.isfinite(best.fun) and _gain(lambda logs: descent(logs)[1], best.x, slope, inside) < GAIN),
        tuple(name for name, is_out in zip(names, lower | upper, strict=True) if is_out),
    )


def _gain(gradient: Callable[[Floats], Floats], logs: Floats, slope: Floats, inside: Places) -> float:
    """What a Newton step from `logs` would win.

    Not the slope by itself: in a narrow valley rounding leaves one that a step too small to matter would end.
    """
    if not len(inside):
        return 0.0
    steps = np.eye(len(logs))[inside] * STEP
    curvature = np.array([(gradient(logs + step) - gradient(logs - step))[inside] / (2 * STEP) for step in steps])
    if not np.isfinite(curvature).all():
        return np.inf
    values, directions = np.linalg.eigh((curvature + curvature.T) / 2)
    along = (directions * slope[inside][:, None]).sum(axis=0)
    return float((along**2 / np.maximum(values, LEAST_CURVATURE)).sum() / 2)

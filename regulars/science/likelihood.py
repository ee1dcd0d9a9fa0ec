"""Maximum likelihood over positive parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from regulars.science.columns import Floats

# Parameters are looked for between these: beyond, a limit of the model (such as "everybody is alike") is not told apart.
SMALLEST, GREATEST = 1e-5, 1e5
FLAT = 1e-5  # gradient of the mean log-likelihood in the logs of the parameters at which a maximum is one


@dataclass(frozen=True)
class Maximum:
    """`parameters` where `log_likelihood` is greatest; `is_reached` is false where the search stopped on a slope."""

    parameters: Floats
    log_likelihood: float
    is_reached: bool
    at_limit: tuple[int, ...]  # places of the parameters that ran into SMALLEST or GREATEST


def maximise(
    log_likelihood: Callable[[Floats], tuple[float, Floats]], starts: Sequence[Sequence[float]], weight: float
) -> Maximum:
    """The greatest `log_likelihood`, which gives its value and its gradient at positive parameters.

    The logarithms of the parameters are what is searched (L-BFGS-B), from each of `starts`; the value is divided by
    `weight`, the number of observations, so that tolerances do not depend on it.
    """

    def descent(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        value, gradient = log_likelihood(parameters)
        return -value / weight, -gradient * parameters / weight

    limits = [(np.log(SMALLEST), np.log(GREATEST))] * len(starts[0])
    found = [
        minimize(
            descent,
            np.log(start),
            jac=True,
            method="L-BFGS-B",
            bounds=limits,
            options={"maxiter": 500, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 20},
        )
        for start in starts
    ]
    best = min(found, key=lambda one: float(one.fun))
    lower, upper = best.x <= limits[0][0], best.x >= limits[0][1]
    slope = np.where(lower, np.minimum(best.jac, 0), np.where(upper, np.maximum(best.jac, 0), best.jac))
    return Maximum(
        np.exp(best.x),
        -float(best.fun) * weight,
        bool(np.isfinite(best.fun) and np.abs(slope).max() < FLAT),
        tuple(int(place) for place in np.flatnonzero(lower | upper)),
    )

"""How good forecasts were. Hyndman and Koehler (2006), Another look at measures of forecast accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regulars.science.columns import Floats


@dataclass(frozen=True)
class Accuracy:
    """Errors of forecasts; None where a measure has no value."""

    rmse: float
    mae: float
    mape_pct: float | None  # over periods in which something was sold; None where there is none
    mase: float | None  # None where the training part repeats itself exactly


def measure_accuracy(actual: Floats, forecast: Floats, scale: float) -> Accuracy:
    """`actual` and `forecast` of one length; `scale` from `seasonal_scale`."""
    error = np.abs(actual - forecast)
    sold = actual != 0
    peak = float(error.max(initial=0.0)) or 1.0  # sums and squares of great errors would be infinite
    mae = peak * float((error / peak).mean())
    with np.errstate(over="ignore"):
        share = float((error[sold] / np.abs(actual[sold])).mean()) if sold.any() else np.inf
    return Accuracy(
        rmse=peak * float(np.sqrt(((error / peak) ** 2).mean())),
        mae=mae,
        mape_pct=share * 100 if np.isfinite(share) else None,
        mase=mae / scale if scale > 0 else None,
    )


def seasonal_scale(training: Floats, season: int) -> float:
    """Mean absolute error of the seasonal naive forecast within `training`: what MASE divides by."""
    return float(np.abs(training[season:] - training[:-season]).mean()) if len(training) > season else 0.0


def coverage_pct(actual: Floats, lower: Floats, upper: Floats) -> float:
    """Share of values within their interval, ends included, in percent."""
    return float(((lower <= actual) & (actual <= upper)).mean()) * 100

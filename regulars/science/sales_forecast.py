"""Sales to come: per series and in total, by the model that forecast the past best."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from regulars.errors import ConfigError
from regulars.science.backtest import Trial, backtest, rank
from regulars.science.candidates import LEVELS, Prediction, knows_years, list_candidates, predict
from regulars.science.periods import Frequency
from regulars.science.series import Series, read_series
from regulars.science.training import Training, model_version

RULES = 1  # counted up when the same input gives other results
LEAST_TRAINING = 12  # periods, where two seasons are fewer
LEAST_WINDOWS = 2

FORECASTS = pa.schema(
    [("series", pa.string()), ("date", pa.date32()), ("model", pa.string()), ("forecast", pa.float64())]
    + [(f"{end}_{level}", pa.float64()) for level in LEVELS for end in ("lower", "upper")]
)
ACCURACY = pa.schema(
    [
        ("series", pa.string()), ("model", pa.string()), ("status", pa.string()), ("reason", pa.string()),
        ("windows", pa.int64()), ("rmse", pa.float64()), ("mae", pa.float64()), ("mape_pct", pa.float64()),
        ("mase", pa.float64()), ("coverage_80_pct", pa.float64()), ("coverage_95_pct", pa.float64()),
        ("is_chosen", pa.bool_()),
    ]
)  # fmt: skip
SERIES = pa.schema(
    [
        ("series", pa.string()), ("status", pa.string()), ("reason", pa.string()), ("model", pa.string()),
        ("first_date", pa.date32()), ("last_date", pa.date32()),
        ("periods", pa.int64()), ("minimum_periods", pa.int64()), ("filled_periods", pa.int64()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class SalesForecast:
    """What `forecast_sales` gives; its docstring names the columns."""

    forecasts: pa.Table
    accuracy: pa.Table
    series: pa.Table


@dataclass
class _Rows:
    forecasts: list[dict[str, Any]] = field(default_factory=list)
    accuracy: list[dict[str, Any]] = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)


def forecast_sales(
    sales: pa.Table,
    *,
    as_of: date,
    horizon: int = 28,
    frequency: Frequency = Frequency.DAY,
    windows: int = 4,
    total: str | None = "total",
) -> SalesForecast:
    """The next `horizon` periods of each series and of their sum, `total` (None: no sum).

    `sales`, in any order: series (text), date (date32), value (a number: what was sold on that day, or in the period
    that the day lies in). Rows of one period are added up; a period without a row counts as 0, from the first row of a
    series to the last period that is complete at `as_of`; later rows are not looked at.

    Each candidate model forecasts up to `windows` stretches of `horizon` periods before `as_of`, and the one that
    `backtest.rank` puts first forecasts on. A history is long enough from two seasons (at least 12 periods) and two
    stretches on. Forecasts and bounds are never below 0; a past total may be (more returned than sold). Each series is
    forecast for itself: the forecasts of the parts need not add up to that of the total.

    Gives `forecasts`, a row per series and period:
        series, date (first day of the period), model, forecast, lower_80, upper_80, lower_95, upper_95
    `accuracy`, a row per series and candidate, the simplest first:
        series, model, status (tested, failed), reason, windows, rmse, mae (in the unit of value), mape_pct (over periods
        that are not 0), mase, coverage_80_pct, coverage_95_pct (of the bounds), is_chosen
    and `series`:
        series, status (forecast, short_history), reason, model (the chosen one), first_date, last_date (of the history),
        periods, minimum_periods, filled_periods (had no row)
    and in all of them model_version, trained_from, trained_to.

    Raises ContractError where the input breaks these rules, ConfigError for parameters out of range.
    """
    if horizon < 1 or windows < LEAST_WINDOWS:
        raise ConfigError(f"horizon must be at least 1 and windows at least {LEAST_WINDOWS}")
    found = read_series(sales, as_of, frequency, total)
    rows = _Rows()
    for one in found:
        _forecast(one, frequency, horizon, windows, rows)
    until = _days(frequency, frequency.last_complete(as_of), 2)[1]
    first = min((one.first for one in found), default=frequency.last_complete(as_of))
    training = Training(
        model_version("sales_forecast", RULES, "statsforecast"),
        _days(frequency, first, 1)[0],
        (np.datetime64(until) - 1).item(),
    )
    return SalesForecast(
        training.stamp(pa.Table.from_pylist(rows.forecasts, schema=FORECASTS)),
        training.stamp(pa.Table.from_pylist(rows.accuracy, schema=ACCURACY)),
        training.stamp(pa.Table.from_pylist(rows.series, schema=SERIES)),
    )


def _forecast(series: Series, frequency: Frequency, horizon: int, windows: int, rows: _Rows) -> None:
    values, season = series.values, frequency.season
    least = max(2 * season, LEAST_TRAINING)
    affordable = min(windows, (len(values) - least) // horizon)
    about: dict[str, Any] = {
        "series": series.name,
        "first_date": _days(frequency, series.first, 1)[0],
        "last_date": _days(frequency, series.first + len(values) - 1, 1)[0],
        "periods": len(values),
        "minimum_periods": least + LEAST_WINDOWS * horizon,
        "filled_periods": series.filled,
    }
    if affordable < LEAST_WINDOWS:
        reason = f"{len(values)} periods of history, {about['minimum_periods']} are needed"
        rows.series.append(about | {"status": "short_history", "reason": reason})
        return
    shortest = len(values) - affordable * horizon
    years = frequency is Frequency.DAY and knows_years(shortest, horizon)
    candidates = list_candidates(season, years, float((values == 0).mean()))
    if np.ptp(values) == 0:
        candidates = candidates[:1]  # all would say the same, and some divide by what does not vary
    trials = backtest(values, candidates, horizon=horizon, season=season, windows=affordable)
    chosen, said = _first_that_speaks(rank(trials), values, horizon, season)
    rows.accuracy += [_trial_row(series.name, trial, affordable, trial is chosen) for trial in trials]
    rows.series.append(about | {"status": "forecast", "reason": "", "model": chosen.candidate.name})
    days = _days(frequency, series.first + len(values), horizon)
    bounds = {f"{end}_{level}": getattr(said, end)[level] for level in LEVELS for end in ("lower", "upper")}
    for step, day in enumerate(days):
        row = {"series": series.name, "date": day, "model": chosen.candidate.name, "forecast": said.mean[step]}
        rows.forecasts.append(row | {name: bound[step] for name, bound in bounds.items()})


def _first_that_speaks(ranked: list[Trial], values: np.ndarray, horizon: int, season: int) -> tuple[Trial, Prediction]:
    """The best trial whose model also forecasts from the whole history; the last is seasonal naive, which does."""
    for trial in ranked[:-1]:
        try:
            return trial, predict(trial.candidate, values, horizon, season)
        except Exception:  # noqa: S112 - a model that fails now is passed over like one that failed in the backtest
            continue
    return ranked[-1], predict(ranked[-1].candidate, values, horizon, season)


def _trial_row(series: str, trial: Trial, windows: int, is_chosen: bool) -> dict[str, Any]:
    row = {"series": series, "model": trial.candidate.name, "windows": windows, "is_chosen": is_chosen}
    if trial.accuracy is None:
        return row | {"status": "failed", "reason": trial.reason}
    measures = {name: getattr(trial.accuracy, name) for name in ("rmse", "mae", "mape_pct", "mase")}
    coverage = {f"coverage_{level}_pct": share for level, share in trial.coverage.items()}
    return row | {"status": "tested", "reason": ""} | measures | coverage


def _days(frequency: Frequency, first: int, count: int) -> list[date]:
    days: list[date] = frequency.first_day(np.arange(first, first + count)).tolist()
    return days

"""Quarterly beer production: baselines as Hyndman and Athanasopoulos publish them (Forecasting, 3rd ed., section 5.8)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from regulars.science.backtest import backtest, rank
from regulars.science.candidates import list_candidates
from regulars.science.periods import Frequency
from regulars.science.sales_forecast import forecast_sales
from regulars.science.series import read_series

pytestmark = pytest.mark.real_data

PUBLISHED = {  # RMSE, MAE, MAPE, MASE
    "mean": (38.447, 34.825, 8.283, 2.435),
    "naive": (62.693, 57.4, 14.184, 4.014),
    "seasonal_naive": (14.311, 13.4, 3.169, 0.937),
    "drift": (64.901, 58.876, 14.577, 4.117),
}


@pytest.fixture(scope="module")
def beer(datasets: Path) -> pa.Table:
    """Quarters 1992Q1 to 2010Q2."""
    table = pyarrow.csv.read_csv(datasets / "aus_production" / "aus_production.csv")
    days = np.round(table["Quarter"].to_numpy()).astype("datetime64[D]")
    since = days >= np.datetime64("1992-01-01")
    return pa.table(
        {"series": ["beer"] * int(since.sum()), "date": days[since], "value": table["Beer"].to_numpy()[since]}
    )


def test_baselines_on_ten_quarters(beer: pa.Table) -> None:
    (series,) = read_series(beer, date(2010, 6, 30), Frequency.QUARTER, None)
    assert (len(series.values), series.filled) == (74, 0)
    trials = backtest(series.values, list_candidates(4, False, 0.0), horizon=10, season=4, windows=1)
    found = {trial.candidate.name: trial.accuracy for trial in trials}
    for name, (rmse, mae, mape, mase) in PUBLISHED.items():
        accuracy = found[name]
        assert accuracy is not None
        assert accuracy.rmse == pytest.approx(rmse, abs=5e-4)
        assert accuracy.mae == pytest.approx(mae, abs=5e-4)
        assert accuracy.mape_pct == pytest.approx(mape, abs=6e-4)
        assert accuracy.mase == pytest.approx(mase, abs=6e-4)
    best = rank(trials)[0].accuracy
    assert best is not None and best.rmse <= 14.311


def test_forecast_of_the_next_quarters(beer: pa.Table) -> None:
    found = forecast_sales(beer, as_of=date(2010, 7, 15), horizon=8, frequency=Frequency.QUARTER, total=None)
    assert found.forecasts["date"].to_pylist()[:2] == [date(2010, 7, 1), date(2010, 10, 1)]
    chosen = found.accuracy.filter(found.accuracy["is_chosen"]).to_pylist()[0]
    naive = found.accuracy.to_pylist()[0]
    assert naive["model"] == "seasonal_naive"
    assert chosen["rmse"] < naive["rmse"] and chosen["mae"] <= naive["mae"] and chosen["windows"] == 4
    assert found.series["trained_to"][0].as_py() == date(2010, 6, 30)

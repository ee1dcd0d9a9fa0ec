"""Sales forecasts: what is chosen, what intervals hold, and series that are short, still, rare or huge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import ConfigError, ContractError
from regulars.science.accuracy import measure_accuracy, seasonal_scale
from regulars.science.backtest import Trial, backtest, rank
from regulars.science.candidates import Candidate, knows_years, list_candidates, predict
from regulars.science.periods import Frequency
from regulars.science.sales_forecast import forecast_sales
from regulars.science.series import read_series

AS_OF = date(2026, 3, 31)


def daily(name: str, values: Sequence[float] | np.ndarray, last: date = AS_OF) -> pa.Table:
    days = [last - timedelta(len(values) - 1 - place) for place in range(len(values))]
    kind = pa.schema([("series", pa.string()), ("date", pa.date32()), ("value", pa.float64())])
    return pa.table([[name] * len(values), days, np.asarray(values, dtype=float)], schema=kind)


def weekly_shape(days: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return 100 + np.tile([0, 5, 10, 15, 30, 60, 40], days // 7 + 1)[:days] + random.normal(0, 8, days)


def only(table: pa.Table, **values: Any) -> list[dict[str, Any]]:
    return [row for row in table.to_pylist() if all(row[name] == value for name, value in values.items())]


@pytest.fixture(scope="module")
def found() -> Any:
    random = np.random.default_rng(11)
    rare = np.where(random.random(160) < 0.6, 0, random.gamma(2, 20, 160))
    tables = [
        daily("bread", weekly_shape(160, 1)),
        daily("rare", rare),
        daily("still", np.full(160, 7.0)),
        daily("nothing", np.zeros(160)),
        daily("huge", weekly_shape(160, 2) * 1e290),
        daily("short", weekly_shape(40, 3)),
        daily("single", [5.0]),
    ]
    return forecast_sales(pa.concat_tables(tables), as_of=AS_OF, horizon=14, total=None)


@pytest.mark.parametrize("name", ["bread", "rare", "still", "nothing", "huge"])
def test_the_chosen_model_is_not_worse_than_seasonal_naive(found: Any, name: str) -> None:
    (chosen,) = only(found.accuracy, series=name, is_chosen=True)
    (naive,) = only(found.accuracy, series=name, model="seasonal_naive")
    assert chosen["rmse"] <= naive["rmse"] * (1 + 1e-9) and chosen["mae"] <= naive["mae"] * (1 + 1e-9)
    rows = only(found.forecasts, series=name)
    assert [row["date"] for row in rows] == [AS_OF + timedelta(step) for step in range(1, 15)]
    for row in rows:
        bounds = [row["lower_95"], row["lower_80"], row["forecast"], row["upper_80"], row["upper_95"]]
        assert np.isfinite(bounds).all() and bounds == sorted(bounds) and bounds[0] >= 0
        assert row["model"] == chosen["model"]


def test_a_weekly_shape_is_forecast_better_than_by_seasonal_naive(found: Any) -> None:
    (chosen,) = only(found.accuracy, series="bread", is_chosen=True)
    (naive,) = only(found.accuracy, series="bread", model="seasonal_naive")
    assert chosen["rmse"] < 0.9 * naive["rmse"]
    assert 60 <= chosen["coverage_80_pct"] <= 95 and chosen["coverage_95_pct"] >= 85
    saturday = [row for row in only(found.forecasts, series="bread") if row["date"].weekday() == AS_OF.weekday()]
    assert len(saturday) == 2


def test_rare_demand_has_models_for_it(found: Any) -> None:
    names = {row["model"] for row in only(found.accuracy, series="rare")}
    assert {"croston_sba", "adida"} <= names
    assert not {"croston_sba", "adida"} & {row["model"] for row in only(found.accuracy, series="bread")}


@pytest.mark.parametrize(("name", "value"), [("still", 7.0), ("nothing", 0.0)])
def test_what_does_not_vary_goes_on(found: Any, name: str, value: float) -> None:
    assert {row["forecast"] for row in only(found.forecasts, series=name)} == {value}
    (row,) = only(found.accuracy, series=name)
    assert (row["rmse"], row["mase"], row["coverage_95_pct"]) == (0.0, None, 100.0)


@pytest.mark.parametrize(("name", "periods"), [("short", 40), ("single", 1)])
def test_a_short_history_is_reported(found: Any, name: str, periods: int) -> None:
    (row,) = only(found.series, series=name)
    assert (row["status"], row["periods"], row["minimum_periods"]) == ("short_history", periods, 42)
    assert row["reason"] == f"{periods} periods of history, 42 are needed" and row["model"] is None
    assert not only(found.forecasts, series=name) and not only(found.accuracy, series=name)


def test_every_row_says_where_it_comes_from(found: Any) -> None:
    for table in (found.forecasts, found.accuracy, found.series):
        assert set(table["trained_to"].to_pylist()) == {AS_OF}
        assert set(table["trained_from"].to_pylist()) == {AS_OF - timedelta(159)}
        assert table["model_version"][0].as_py() == "sales_forecast 1 (statsforecast 2.0.3)"


def test_the_total_is_a_series_of_its_own_and_order_of_rows_is_nothing() -> None:
    tables = pa.concat_tables([daily("a", weekly_shape(80, 1)), daily("b", weekly_shape(60, 2))])
    first = forecast_sales(tables, as_of=AS_OF, horizon=7)
    assert first.series["series"].to_pylist() == ["a", "b", "total"]
    shuffled = tables.take(np.random.default_rng(0).permutation(len(tables)))
    second = forecast_sales(shuffled, as_of=AS_OF, horizon=7)
    for name in ("forecasts", "accuracy", "series"):
        assert getattr(first, name).equals(getattr(second, name))
    a, b, total = read_series(tables, AS_OF, Frequency.DAY, "total")
    assert total.values[:20].tolist() == a.values[:20].tolist()
    np.testing.assert_allclose(total.values[20:], a.values[20:] + b.values)


def test_days_without_a_row_sold_nothing() -> None:
    rows = pa.concat_tables([daily("a", [1.5, 2.5], date(2026, 3, 20)), daily("a", [4.0], date(2026, 3, 20))])
    (series,) = read_series(pa.concat_tables([rows, daily("a", [9.0], date(2026, 4, 1))]), AS_OF, Frequency.DAY, None)
    assert series.values.tolist() == [1.5, 6.5] + [0.0] * 11
    assert series.filled == 11


def test_decimals_and_integers_are_read() -> None:
    table = daily("a", [1, 2, 3])
    for kind in (pa.decimal128(18, 2), pa.int32()):
        cast = table.set_column(2, "value", table["value"].cast(kind))
        assert read_series(cast, AS_OF, Frequency.DAY, None)[0].values.tolist() == [1, 2, 3]


def test_returns_may_outweigh_sales_but_forecasts_may_not() -> None:
    values = np.tile([-50.0, 20, -10, 5, -5, 3, -2], 12) + np.random.default_rng(3).normal(0, 1, 84)
    found = forecast_sales(daily("returns", values), as_of=AS_OF, horizon=7, total=None)
    assert found.forecasts["lower_95"].to_numpy().min() == 0
    assert found.forecasts["forecast"].to_numpy().max() > 10


def test_no_rows_give_empty_tables() -> None:
    found = forecast_sales(daily("a", [])[:0], as_of=AS_OF)
    assert [len(one) for one in (found.forecasts, found.accuracy, found.series)] == [0, 0, 0]


def test_input_that_breaks_the_contract_is_named() -> None:
    table = daily("total", [1.0, 2.0])
    with pytest.raises(ContractError, match="called 'total'"):
        forecast_sales(table, as_of=AS_OF)
    with pytest.raises(ContractError, match="1 values of series, date and value are null"):
        forecast_sales(table.set_column(2, "value", pa.array([1.0, None])), as_of=AS_OF, total=None)
    with pytest.raises(ContractError, match="1 infinite values"):
        forecast_sales(table.set_column(2, "value", pa.array([1.0, np.inf])), as_of=AS_OF, total=None)
    with pytest.raises(ContractError, match="not dates"):
        forecast_sales(table.set_column(1, "date", pa.array(["x", "y"])), as_of=AS_OF, total=None)
    with pytest.raises(ContractError, match="overflow"):
        forecast_sales(pa.concat_tables([daily("a", [1.5e308]), daily("b", [1.5e308])]), as_of=AS_OF)
    with pytest.raises(ConfigError, match="windows at least 2"):
        forecast_sales(table, as_of=AS_OF, windows=1)


class Broken:
    """A model that fails, in the way that is asked for."""

    def __init__(self, value: float | None) -> None:
        self.value = value

    def forecast(self, y: np.ndarray, h: int, level: list[int]) -> dict[str, np.ndarray]:
        if self.value is None:
            raise ZeroDivisionError("nothing varies")
        ends = {f"{end}-{one}": np.full(h, self.value) for end in ("lo", "hi") for one in level}
        return ends | {"mean": np.full(h, self.value)}


def test_a_model_that_fails_stands_there_as_failed_and_is_not_chosen() -> None:
    naive = list_candidates(7, False, 0.0)[0]
    candidates = [
        naive,
        Candidate("raises", lambda y: Broken(None)),
        Candidate("says_nothing", lambda y: Broken(np.nan)),
    ]
    trials = backtest(weekly_shape(60, 1), candidates, horizon=7, season=7, windows=2)
    assert [trial.reason for trial in trials] == [
        "", "ZeroDivisionError: nothing varies", "ValueError: it gave a value that is not finite",
    ]  # fmt: skip
    assert rank(trials) == [trials[0]]


def test_of_equal_models_the_simpler_is_chosen() -> None:
    values = weekly_shape(60, 1)
    candidates = list_candidates(7, False, 0.0)
    trials = backtest(values, candidates, horizon=7, season=7, windows=2)
    twin = Trial(candidates[-1], trials[0].accuracy, {})
    assert rank([trials[0], twin])[0] is trials[0]


def test_a_small_rmse_with_a_greater_mae_is_not_chosen() -> None:
    candidate = list_candidates(7, False, 0.0)[0]
    actual = np.array([0.0, 0, 0, 10])
    naive = Trial(candidate, measure_accuracy(actual, np.zeros(4), 1.0), {})
    flat = Trial(candidate, measure_accuracy(actual, np.full(4, 3.0), 1.0), {})
    assert naive.accuracy and flat.accuracy and flat.accuracy.rmse < naive.accuracy.rmse
    assert rank([naive, flat]) == [naive]


def test_a_backtest_knows_nothing_of_what_it_forecasts() -> None:
    values = weekly_shape(80, 4)
    changed = values.copy()
    changed[-7:] += 1e6
    candidates = list_candidates(7, False, 0.0)
    for candidate in candidates:
        before = predict(candidate, values[:-7], 7, 7)
        after = predict(candidate, changed[:-7], 7, 7)
        assert before.mean.tolist() == after.mean.tolist()
    first, second = (backtest(v, candidates[:1], horizon=7, season=7, windows=1)[0].accuracy for v in (values, changed))
    assert first and second and second.mae == pytest.approx(1e6, rel=0.01)


def test_two_years_of_days_bring_the_season_of_the_year() -> None:
    days = np.arange(800)
    values = 200 + 80 * np.sin(2 * np.pi * days / 365) + np.random.default_rng(1).normal(0, 5, 800)
    errors = []
    for years in (True, False):
        said = predict(list_candidates(7, years, 0.0)[-1], values[:-28], 28, 7)
        errors.append(float(np.abs(said.mean - values[-28:]).mean()))
    assert errors[0] < 8 and errors[0] < 0.8 * errors[1]
    assert knows_years(800 - 28, 28) and not knows_years(757, 28)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.lists(st.floats(-1e6, 1e6), min_size=30, max_size=30)
)
def test_accuracy_is_what_it_is_defined_as(actual: list[float], forecast: list[float]) -> None:
    y, f = np.array(actual), np.array(forecast[: len(actual)])
    found = measure_accuracy(y, f, 2.0)
    assert found.mae == pytest.approx(np.abs(y - f).mean())
    assert found.rmse == pytest.approx(np.sqrt(((y - f) ** 2).mean()))
    assert found.mase == pytest.approx(found.mae / 2)
    assert found.rmse >= found.mae * (1 - 1e-9)


def test_measures_that_have_no_value_are_none() -> None:
    still = measure_accuracy(np.zeros(3), np.ones(3), seasonal_scale(np.zeros(20), 7))
    assert (still.mape_pct, still.mase, still.rmse) == (None, None, 1.0)


@pytest.mark.parametrize("frequency", list(Frequency))
def test_periods_are_counted_without_gaps(frequency: Frequency) -> None:
    days = np.arange(np.datetime64("1967-12-25"), np.datetime64("2031-01-10"))
    numbers = frequency.number(days)
    assert set(np.diff(numbers)) <= {0, 1}
    firsts = frequency.first_day(np.unique(numbers)[1:])
    assert np.isin(firsts, days).all() and (frequency.number(firsts) == np.unique(numbers)[1:]).all()
    assert (frequency.number(firsts - 1) == np.unique(numbers)[:-1]).all()


def test_a_period_counts_when_it_has_ended() -> None:
    monday = Frequency.WEEK.number(np.array(["2026-03-30"], dtype="datetime64[D]"))[0]
    assert Frequency.WEEK.last_complete(date(2026, 4, 4)) == monday - 1
    assert Frequency.WEEK.last_complete(date(2026, 4, 5)) == monday
    assert Frequency.WEEK.first_day(np.array([monday])).tolist() == [date(2026, 3, 30)]
    assert Frequency.QUARTER.last_complete(AS_OF) == Frequency.QUARTER.last_complete(date(2026, 6, 29))

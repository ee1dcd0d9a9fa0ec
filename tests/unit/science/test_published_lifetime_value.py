"""CDNOW: what Fader, Hardie and Lee published of it, from the purchases themselves and from the summary."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from regulars.science.bg_nbd import BgNbd, Histories, fit_bg_nbd
from regulars.science.lifetime_value import LifetimeValues, correlate, estimate_lifetime_value
from regulars.settings import PROJECT_DIR

pytestmark = pytest.mark.real_data

CALIBRATION_END = date(1997, 9, 30)


@pytest.fixture(scope="module")
def purchases(datasets: Path) -> pa.Table:
    """One row per purchase of the sample: customer_id, ordered_on, amount."""
    lines = [line.split() for line in (datasets / "cdnow" / "CDNOW_sample.txt").read_text().splitlines()]
    assert len(lines) == 6919
    days = [date(int(line[2][:4]), int(line[2][4:6]), int(line[2][6:])) for line in lines]
    amounts = pa.array([float(line[4]) for line in lines])
    return pa.table({"customer_id": [line[1] for line in lines], "ordered_on": days, "amount": amounts})


@pytest.fixture(scope="module")
def customers(purchases: pa.Table) -> pa.Table:
    """What the query in the documents makes of the purchases until the end of calibration."""
    query = re.findall(r"```sql\n(.*?)```", (PROJECT_DIR / "docs" / "science.md").read_text(), re.DOTALL)[0]
    connection = duckdb.connect()
    connection.register("purchases", purchases)
    return connection.execute(query, {"as_of": CALIBRATION_END}).to_arrow_table()


@pytest.fixture(scope="module")
def values(customers: pa.Table) -> LifetimeValues:
    return estimate_lifetime_value(customers, as_of=CALIBRATION_END, horizon_weeks=39)


def parameters(values: LifetimeValues) -> tuple[dict[str, float], dict[str, float]]:
    of_purchases, of_spend = (json.loads(row["parameters"]) for row in values.models.to_pylist())
    return of_purchases, of_spend


def test_the_query_gives_the_published_summary(customers: pa.Table, datasets: Path) -> None:
    summary = pyarrow.csv.read_csv(datasets / "cdnow" / "cdnow_customers_summary.csv").sort_by("ID")
    ours = customers.sort_by("customer_id")
    assert ours["frequency"].to_pylist() == summary["frequency"].to_pylist()
    for mine, theirs in (("recency_weeks", "recency"), ("age_weeks", "T")):
        np.testing.assert_allclose(ours[mine].to_numpy(), summary[theirs].to_numpy(), atol=0.005)


def test_bg_nbd_parameters(values: LifetimeValues) -> None:
    fitted, _ = parameters(values)
    np.testing.assert_allclose(list(fitted.values()), [0.243, 4.414, 0.793, 2.426], atol=5e-4)
    assert list(fitted) == ["r", "alpha", "a", "b"]
    assert values.models["log_likelihood"][0].as_py() == pytest.approx(-9582.4, abs=0.05)
    assert values.models["status"].to_pylist() == ["fitted", "fitted"]
    assert values.models["trained_from"][0].as_py() == date(1997, 1, 1)


def test_bg_nbd_parameters_from_the_summary(datasets: Path) -> None:
    summary = pyarrow.csv.read_csv(datasets / "cdnow" / "cdnow_customers_summary.csv")
    columns = [summary[name].to_numpy().astype(float) for name in ("frequency", "recency", "T")]
    model, maximum = fit_bg_nbd(Histories.of(*columns)[0])
    np.testing.assert_allclose([model.r, model.alpha, model.a, model.b], [0.243, 4.414, 0.793, 2.426], atol=5e-4)
    assert maximum.log_likelihood == pytest.approx(-9582.4, abs=0.05)


def test_purchases_expected_of_the_customer_of_the_spreadsheet(values: LifetimeValues) -> None:
    """Number 0001 bought again twice, last after 30.43 of 38.86 weeks."""
    row = values.customers.to_pylist()[0]
    assert row["customer_id"] == "0001"
    assert row["expected_purchases"] == pytest.approx(1.226, abs=5e-4)
    assert 0 < row["probability_alive"] < 1


def test_purchases_expected_of_a_new_customer(values: LifetimeValues) -> None:
    model = values.purchases.model
    assert isinstance(model, BgNbd)
    weeks = np.array([1 / 7, 1, 3, 31 + 6 / 7, 32, 78])
    published = [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576]
    np.testing.assert_allclose(model.expected_purchases_of_new(weeks), published, atol=1e-3)


def test_gamma_gamma_parameters(values: LifetimeValues) -> None:
    _, fitted = parameters(values)
    np.testing.assert_allclose(list(fitted.values()), [6.25, 3.74, 15.44], atol=5e-3)
    assert values.models["customers"][1].as_py() == 946


def test_value_expected_of_the_first_ten(values: LifetimeValues) -> None:
    published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    np.testing.assert_allclose(values.customers["expected_value"].to_numpy()[:10], published, atol=0.02)


def test_frequency_and_value_hardly_correlate(customers: pa.Table) -> None:
    """What the independence of the two models rests on: 0.11 over the 946 who came back (the note on Gamma-Gamma)."""
    back = customers.filter(pa.compute.greater(customers["frequency"], 0))
    found = correlate(back["frequency"].to_numpy().astype(float), back["monetary_mean"].to_numpy())
    assert found == pytest.approx(0.11, abs=0.005)


def test_what_came_after_is_near_what_was_expected(
    values: LifetimeValues, customers: pa.Table, purchases: pa.Table
) -> None:
    """78 weeks after the start: the paper's figure of cumulative repeat purchases lies a few percent under the actual."""
    came = duckdb.sql(
        "select customer_id, count(distinct ordered_on) as visits from purchases where ordered_on > date '1997-09-30'"
        " group by 1"
    ).to_arrow_table()
    visits = dict(zip(came["customer_id"].to_pylist(), came["visits"].to_pylist(), strict=True))
    actual = np.array([visits.get(one, 0) for one in values.customers["customer_id"].to_pylist()], dtype=float)
    expected = values.customers["expected_purchases"].to_numpy()
    before = customers["frequency"].to_numpy().sum()
    assert 0.94 < (before + expected.sum()) / (before + actual.sum()) < 1
    assert correlate(expected, actual) > 0.6

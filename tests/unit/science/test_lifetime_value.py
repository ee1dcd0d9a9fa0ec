"""Customer lifetime value: what the models promise, and what is said of data they cannot do with."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import approx_fprime
from scipy.special import hyp2f1
from scipy.stats import beta
from threadpoolctl import threadpool_limits

from regulars.errors import ConfigError, ContractError
from regulars.science import bg_nbd, gamma_gamma
from regulars.science.bg_nbd import BgNbd, Histories, fit_bg_nbd
from regulars.science.gamma_gamma import GammaGamma, fit_gamma_gamma
from regulars.science.lifetime_value import _judge, estimate_lifetime_value
from regulars.science.likelihood import maximise

AS_OF = date(2026, 6, 30)


def draw_histories(truth: BgNbd, size: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """frequency, recency, age of `size` customers of the model, in time as it is (not in days)."""
    random = np.random.default_rng(seed)
    age = random.uniform(20, 150, size)
    rate, stop = random.gamma(truth.r, 1 / truth.alpha, size), random.beta(truth.a, truth.b, size)
    frequency, last, now, at = np.zeros(size), np.zeros(size), np.zeros(size), np.arange(size)
    while len(at):
        now[at] += random.exponential(1 / rate[at])
        at = at[now[at] <= age[at]]
        frequency[at] += 1
        last[at] = now[at]
        at = at[random.random(len(at)) >= stop[at]]
    return frequency, last, age


def draw_values(truth: GammaGamma, frequency: np.ndarray, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    spread = random.gamma(truth.q, 1 / truth.gamma, len(frequency))
    return random.gamma(truth.p * frequency, 1 / spread) / frequency


def table(frequency: Any, recency: Any, age: Any, value: Any) -> pa.Table:
    frequency = np.asarray(frequency, dtype=float)
    mean = np.broadcast_to(np.asarray(value, dtype=float), frequency.shape)
    return pa.table(
        {
            "customer_id": [f"c{number:06}" for number in range(len(frequency))],
            "frequency": pa.array(frequency, pa.int64()),
            "recency_weeks": np.asarray(recency, dtype=float),
            "age_weeks": np.asarray(age, dtype=float),
            "monetary_mean": pa.array(mean, mask=(frequency == 0) | np.isnan(mean)),
        }
    )


@pytest.fixture(scope="module")
def customers() -> pa.Table:
    frequency, recency, age = draw_histories(BgNbd(0.9, 8.0, 0.8, 4.0), 3000, 7)
    return table(frequency, recency, age, draw_values(GammaGamma(6, 4, 15), np.maximum(frequency, 1), 7))


def statuses(found: Any) -> list[str]:
    return found.models["status"].to_pylist()


@settings(max_examples=6, derandomize=True)
@given(
    r=st.floats(0.3, 3), rate=st.floats(0.05, 0.5), a=st.floats(0.4, 2), b=st.floats(1.5, 6), seed=st.integers(0, 999)
)
def test_parameters_are_found_again(r: float, rate: float, a: float, b: float, seed: int) -> None:
    """Of 20,000 simulated customers: the mean rate, the mean probability to stop, and a likelihood above the truth's."""
    truth = BgNbd(r, r / rate, a, b)
    histories = Histories.of(*draw_histories(truth, 20_000, seed))[0]
    found, maximum = fit_bg_nbd(histories)
    assert maximum.is_reached and not maximum.at_limit
    assert maximum.log_likelihood >= bg_nbd.log_likelihood_of(histories)(np.array([r, r / rate, a, b]))[0]
    assert found.r / found.alpha == pytest.approx(rate, rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(a / (a + b), rel=0.15)
    assert found.r == pytest.approx(r, rel=0.15)


def test_spend_is_found_again_in_any_unit_of_money() -> None:
    truth = GammaGamma(4.0, 3.0, 20.0)
    frequency = np.random.default_rng(3).integers(1, 9, 20_000).astype(float)
    values = draw_values(truth, frequency, 3)
    found, _ = fit_gamma_gamma(frequency, values)
    assert [found.p, found.q, found.gamma] == pytest.approx([4, 3, 20], rel=0.1)
    in_cents, maximum = fit_gamma_gamma(frequency, values * 1e9)
    assert [in_cents.p, in_cents.q, in_cents.gamma / 1e9] == pytest.approx([found.p, found.q, found.gamma], rel=1e-6)
    exact = gamma_gamma.log_likelihood_of(frequency, values * 1e9)(np.array([in_cents.p, in_cents.q, in_cents.gamma]))[
        0
    ]
    assert maximum.log_likelihood == pytest.approx(exact, rel=1e-9)


@settings(max_examples=20, derandomize=True)
@given(
    st.integers(1, 40), st.floats(0.02, 1), st.floats(1, 200), st.floats(0.1, 20),
    st.builds(BgNbd, st.floats(0.1, 5), st.floats(0.5, 30), st.floats(0.1, 5), st.floats(0.2, 8)),
)  # fmt: skip
def test_silence_lowers_the_probability_to_be_alive(
    x: int, share: float, age: float, more: float, model: BgNbd
) -> None:
    recency = np.array([share, share, min(share * 1.1, 1.0)]) * age
    ages = np.array([age, age + more, age])
    ask = [Histories(np.array([float(x)]), recency[[i]], ages[[i]], np.ones(1)) for i in range(3)]
    now, later, bought_later = (float(model.probability_alive(one)[0]) for one in ask)
    assert 0 <= later <= now <= bought_later <= 1


def test_who_bought_once_is_alive() -> None:
    once = Histories(np.zeros(2), np.zeros(2), np.array([0.0, 500.0]), np.ones(2))
    assert BgNbd(0.2, 4, 0.8, 2.4).probability_alive(once).tolist() == [1.0, 1.0]


@settings(max_examples=40, derandomize=True)
@given(
    st.integers(0, 60), st.floats(0.05, 1), st.floats(0.5, 150), st.floats(0.5, 100),
    st.builds(BgNbd, st.floats(0.1, 4), st.floats(1, 30), st.floats(0.1, 3), st.floats(0.3, 8)),
)  # fmt: skip
def test_expected_purchases_are_those_of_the_paper(x: int, share: float, age: float, time: float, model: BgNbd) -> None:
    """Equation (10) as it is printed, where it can be computed: away from its poles at a = 1 and a + b + x = 1."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    if abs(a - 1) < 0.01 or abs(a + b + x - 1) < 0.01:
        a = model.a + 0.02
        model = BgNbd(r, alpha, a, b)
    one = Histories(np.array([float(x)]), np.array([share * age if x else 0.0]), np.array([age]), np.ones(1))
    series = hyp2f1(r + x, b + x, a + b + x - 1, time / (alpha + age + time))
    living = (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / (alpha + age + time)) ** (r + x) * series)
    expected = living * model.probability_alive(one)[0]
    assert model.expected_purchases(one, np.array([time]))[0, 0] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_expected_purchases_where_the_paper_overflows() -> None:
    """Five thousand purchases, and a = 1: against adaptive integration."""
    for model, x in ((BgNbd(0.5, 4.0, 1.0, 2.5), 3.0), (BgNbd(0.5, 4.0, 0.8, 2.5), 5000.0)):
        one = Histories(np.array([x]), np.array([99.0]), np.array([100.0]), np.ones(1))
        law = beta(model.a, model.b + x)

        def gained(p: float, model: BgNbd = model, x: float = x, law: Any = law) -> float:
            return float(-np.expm1(-(model.r + x) * np.log1p(p * 52 / (model.alpha + 100))) / p * law.pdf(p))

        middle = float(law.ppf(0.999))
        exact = quad(gained, 0, middle, limit=500)[0] + quad(gained, middle, 1, limit=500)[0]
        found = model.expected_purchases(one, np.array([52.0]))[0, 0] / model.probability_alive(one)[0]
        assert found == pytest.approx(exact, rel=1e-6)


def test_gradients_agree_with_differences() -> None:
    histories = Histories.of(*draw_histories(BgNbd(0.9, 8.0, 0.8, 4.0), 300, 1))[0]
    spend = gamma_gamma.log_likelihood_of(np.array([1.0, 2, 5]), np.array([10.0, 30, 7]))
    for function, at in (
        (bg_nbd.log_likelihood_of(histories), [0.5, 5, 1.2, 3]),
        (spend, [5.0, 3.0, 12.0]),
    ):
        exact = function(np.array(at))[1]
        np.testing.assert_allclose(exact, approx_fprime(np.array(at), lambda p, f=function: f(p)[0], 1e-7), rtol=1e-3)


def test_neither_order_of_rows_nor_threads_change_a_bit(customers: pa.Table) -> None:
    first = estimate_lifetime_value(customers, as_of=AS_OF)
    shuffled = customers.take(np.random.default_rng(1).permutation(len(customers)))
    with threadpool_limits(1):
        second = estimate_lifetime_value(shuffled, as_of=AS_OF)
    assert first.customers.equals(second.customers)
    assert first.models.equals(second.models)


def test_equal_customers_are_counted_once_and_weigh_as_many() -> None:
    frequency, recency, age = draw_histories(BgNbd(0.9, 8.0, 0.8, 4.0), 400, 5)
    once, thrice = (Histories.of(*(np.tile(c, n) for c in (frequency, recency, age)))[0] for n in (1, 3))
    assert len(once.age) == len(thrice.age)
    assert thrice.count.sum() == 3 * once.count.sum()
    assert fit_bg_nbd(once)[0].alpha == pytest.approx(fit_bg_nbd(thrice)[0].alpha, rel=1e-4)


def test_lifetime_value_discounts_week_by_week(customers: pa.Table) -> None:
    found = estimate_lifetime_value(customers, as_of=AS_OF, horizon_weeks=3, yearly_discount_rate=0.5)
    model, row = found.purchases.model, found.customers.to_pylist()[0]
    assert isinstance(model, BgNbd)
    source = customers.sort_by("customer_id").to_pylist()[0]
    one = Histories(*(np.array([float(source[n])]) for n in ("frequency", "recency_weeks", "age_weeks")), np.ones(1))
    until = [0.0, *model.expected_purchases(one, np.array([1.0, 2, 3]))[0]]
    worth = sum((until[k] - until[k - 1]) / 1.5 ** (k / 52) for k in (1, 2, 3)) * row["expected_value"]
    assert row["lifetime_value"] == pytest.approx(worth, rel=1e-12)
    assert row["expected_purchases"] == pytest.approx(until[3], rel=1e-12)
    plain = estimate_lifetime_value(customers, as_of=AS_OF, horizon_weeks=3, yearly_discount_rate=0).customers
    product = plain["expected_purchases"].to_numpy() * plain["expected_value"].to_numpy()
    np.testing.assert_allclose(plain["lifetime_value"].to_numpy(), product, rtol=1e-12)


@pytest.mark.parametrize("frequency", [0, 1])
def test_too_few_customers_are_said_to_be(frequency: int) -> None:
    """Nobody came back, or there is hardly anybody."""
    size = 500 if frequency == 0 else 20
    found = estimate_lifetime_value(
        table([frequency] * size, [frequency] * size, np.arange(size) % 50 + 2, 5), as_of=AS_OF
    )
    assert statuses(found) == ["too_few_customers"] * 2
    assert set(found.customers["status"].to_pylist()) == {"not_estimated"}
    assert found.customers["probability_alive"].null_count == found.customers["lifetime_value"].null_count == size


def test_no_customers_at_all() -> None:
    found = estimate_lifetime_value(table([], [], [], []), as_of=AS_OF)
    assert statuses(found) == ["too_few_customers"] * 2
    assert len(found.customers) == 0


def test_customers_who_are_all_alike_run_into_the_limit_and_get_their_mean() -> None:
    found = estimate_lifetime_value(table([3] * 300, [39.9] * 300, [40] * 300, 10), as_of=AS_OF)
    assert statuses(found) == ["at_limit", "at_limit"]
    row = found.customers.to_pylist()[0]
    assert row["expected_purchases"] == pytest.approx(3 / 40 * 52, rel=0.01)
    assert row["expected_value"] == pytest.approx(10, rel=0.01)


def test_customers_who_never_leave() -> None:
    """A steady rate: the probability to stop runs to 0, everybody lives and buys on as before."""
    random = np.random.default_rng(2)
    age = random.uniform(50, 100, 2000)
    frequency = random.poisson(0.2 * age)
    last = age * random.beta(np.maximum(frequency, 1), 1)
    found = estimate_lifetime_value(table(frequency, np.where(frequency > 0, last, 0), age, 10), as_of=AS_OF)
    assert statuses(found)[0] == "at_limit"
    assert found.customers["probability_alive"].to_numpy().min() > 0.99
    assert found.customers["expected_purchases"].to_numpy().mean() == pytest.approx(0.2 * 52, rel=0.03)


def test_means_that_are_not_positive_are_left_out_and_counted(customers: pa.Table) -> None:
    value = customers["monetary_mean"].to_pylist()
    back = [place for place, one in enumerate(value) if one is not None][:3]
    for place, bad in zip(back, (0.0, -5.0, None), strict=True):
        value[place] = bad
    at = customers.column_names.index("monetary_mean")
    changed = customers.set_column(at, "monetary_mean", pa.array(value, pa.float64()))
    found = estimate_lifetime_value(changed, as_of=AS_OF)
    assert found.models["left_out"].to_pylist() == [0, 3]
    rows = found.customers.to_pylist()
    assert {(rows[place]["status"], rows[place]["lifetime_value"]) for place in back} == {("no_value", None)}
    assert all(rows[place]["expected_purchases"] is not None for place in back)
    assert sum(row["status"] == "no_value" for row in rows) == 3


def test_value_that_grows_with_frequency_is_not_modelled(customers: pa.Table) -> None:
    at = customers.column_names.index("monetary_mean")
    frequency = customers["frequency"].to_numpy()
    grows = customers.set_column(at, "monetary_mean", pa.array(10.0 + frequency, mask=frequency == 0))
    found = estimate_lifetime_value(grows, as_of=AS_OF)
    assert statuses(found) == ["fitted", "correlated"]
    assert "1.00" in found.models["reason"][1].as_py()
    assert set(found.customers["status"].to_pylist()) == {"no_value"}
    assert found.customers["expected_purchases"].null_count == 0
    assert statuses(estimate_lifetime_value(grows, as_of=AS_OF, maximum_correlation=1))[1] != "correlated"


def test_spend_without_a_mean_is_said_to_have_none(customers: pa.Table) -> None:
    frequency = customers["frequency"].to_numpy()
    wild = draw_values(GammaGamma(3.0, 0.6, 1.0), np.maximum(frequency, 1).astype(float), 5)
    at = customers.column_names.index("monetary_mean")
    changed = customers.set_column(at, "monetary_mean", pa.array(wild, mask=frequency == 0))
    assert statuses(estimate_lifetime_value(changed, as_of=AS_OF, maximum_correlation=1))[1] == "no_mean"


def test_a_search_that_ends_on_a_slope_is_no_fit() -> None:
    def slope(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        return float(np.log(parameters).sum()), -1 / parameters  # the gradient leads away from where it is higher

    maximum = maximise(slope, ("x", "y"), [(1.0, 1.0)], 1.0)
    assert not maximum.is_reached
    model = BgNbd(1, 1, 1, 1)
    fit = _judge("bg_nbd", lambda: (model, maximum), (), 5, 0)
    assert (fit.status, fit.model) == ("not_converged", None)


@pytest.mark.parametrize(
    ("frequency", "recency", "age", "rule"),
    [
        (-1, 0, 5, "whole number"),
        (1, 6, 5, "recency_weeks <= age_weeks"),
        (0, 2, 5, "exactly where frequency is 0"),
        (2, 0, 5, "exactly where frequency is 0"),
        (1, np.nan, 5, "recency_weeks <= age_weeks"),
    ],
)
def test_a_row_that_cannot_be_is_named(frequency: float, recency: float, age: float, rule: str) -> None:
    with pytest.raises(ContractError, match=rule) as raised:
        estimate_lifetime_value(table([1, frequency], [1, recency], [5, age], 5), as_of=AS_OF)
    assert "1 rows, such as c000001" in str(raised.value)


def test_input_that_breaks_the_contract_is_named(customers: pa.Table) -> None:
    cases = {
        "no column 'age_weeks'": customers.drop_columns(["age_weeks"]),
        "comes twice": pa.concat_tables([customers, customers.slice(0, 1)]),
        "not numbers": customers.set_column(1, "frequency", pa.array(["1"] * len(customers))),
    }
    for message, broken in cases.items():
        with pytest.raises(ContractError, match=message):
            estimate_lifetime_value(broken, as_of=AS_OF)
    with pytest.raises(ConfigError, match="horizon_weeks"):
        estimate_lifetime_value(customers, as_of=AS_OF, horizon_weeks=0)


def test_every_row_says_where_it_comes_from(customers: pa.Table) -> None:
    found = estimate_lifetime_value(customers, as_of=AS_OF)
    for one in (found.customers, found.models):
        assert set(one["trained_to"].to_pylist()) == {AS_OF}
        assert one["model_version"][0].as_py().startswith("lifetime_value 1 (scipy ")
    oldest = max(customers["age_weeks"].to_pylist())
    assert (AS_OF - found.models["trained_from"][0].as_py()).days == round(oldest * 7)
    assert json.loads(found.models["parameters"][0].as_py()).keys() == {"r", "alpha", "a", "b"}


@pytest.mark.parametrize("most", [2, 50, 10_000])
def test_customers_who_always_spend_the_same(most: int) -> None:
    """One price, however often they buy: the spread of spend runs to its limit, the mean is told exactly."""
    random = np.random.default_rng(most)
    frequency, age = random.integers(1, most, 237), random.uniform(50, 100, 237)
    found = estimate_lifetime_value(table(frequency, age * random.random(237), age, 9.99), as_of=AS_OF)
    assert statuses(found)[1] == "at_limit"
    np.testing.assert_allclose(found.customers["expected_value"].to_numpy(), 9.99, rtol=1e-3)


def test_values_of_any_size_are_read() -> None:
    frequency, recency, age = draw_histories(BgNbd(0.9, 8.0, 0.8, 4.0), 500, 5)
    value = draw_values(GammaGamma(6, 4, 15), np.maximum(frequency, 1), 7)
    plain, great = (estimate_lifetime_value(table(frequency, recency, age, value * u), as_of=AS_OF) for u in (1, 1e200))
    assert statuses(great) == statuses(plain) == ["fitted", "fitted"]
    ratio = great.customers["lifetime_value"].to_numpy() / plain.customers["lifetime_value"].to_numpy()
    np.testing.assert_allclose(ratio, 1e200, rtol=1e-5)

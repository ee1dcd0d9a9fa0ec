"""Customer lifetime value: who is still a customer, how often he will buy and what that is worth."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from regulars.errors import ConfigError
from regulars.science.bg_nbd import BgNbd, Histories, fit_bg_nbd
from regulars.science.columns import Floats, order_by_key, read_numbers, require
from regulars.science.gamma_gamma import GammaGamma, fit_gamma_gamma
from regulars.science.likelihood import Maximum
from regulars.science.training import Training, model_version

RULES = 1  # counted up when the same input gives other results
WEEKS_PER_YEAR = 52


@dataclass(frozen=True)
class Fit:
    """A fitted model, or why there is none: `model` is None unless `status` is fitted or at_limit."""

    name: str
    status: str
    reason: str
    customers: int
    left_out: int
    model: BgNbd | GammaGamma | None = None
    log_likelihood: float | None = None


@dataclass(frozen=True)
class LifetimeValues:
    """What `estimate_lifetime_value` gives; its docstring names the columns."""

    customers: pa.Table
    models: pa.Table
    purchases: Fit
    spend: Fit


def estimate_lifetime_value(
    customers: pa.Table,
    *,
    as_of: date,
    key: str = "customer_id",
    horizon_weeks: int = 52,
    yearly_discount_rate: float = 0.1,
    maximum_correlation: float = 0.3,
    minimum_customers: int = 100,
    minimum_returned: int = 30,
) -> LifetimeValues:
    """BG/NBD for purchases and Gamma-Gamma for their value, fitted to `customers` and applied to each of them.

    `customers`, one row for everyone who ever bought until `as_of`, in any order; purchases of one day are one:
        <key>           any type that sorts, unique
        frequency       purchases after the first (whole number >= 0)
        recency_weeks   from the first to the last purchase, days / 7; 0 exactly where frequency is 0
        age_weeks       from the first purchase to `as_of`, days / 7; >= recency_weeks
        monetary_mean   mean value of the purchases after the first, in one currency; null where frequency is 0

    Gives `customers`, ordered by key:
        <key>; status   estimated; no_value (the two columns of value are null: it came back and monetary_mean is null
                        or not positive, or there is no model of spend); not_estimated (no model of purchases: so are
                        probability_alive and expected_purchases)
        probability_alive    0 to 1; 1 for a customer with frequency 0, by the rule of the model
        expected_purchases   in the `horizon_weeks` after `as_of`
        expected_value       mean value of a purchase to come (of all customers, for one with frequency 0)
        lifetime_value       expected_value * sum over weeks k of expected purchases in week k / (1 + rate)^(k / 52)
        model_version, trained_from, trained_to
    and `models`, a row for bg_nbd and one for gamma_gamma:
        model; status   fitted; at_limit (fitted, but a parameter ran into the end of its range: the data do not tell a
                        limit of the model from it, predictions hold); too_few_customers; not_converged; correlated
                        (|correlation| of frequency and monetary_mean > `maximum_correlation`, which the spend model
                        rules out); no_mean (mean spend of the model is infinite)
        reason (text), customers (in the fit), left_out (came back without a positive mean), log_likelihood,
        parameters (JSON text), and the three columns of training

    Raises ContractError where the input breaks these rules, ConfigError for parameters out of range.
    """
    if horizon_weeks < 1 or yearly_discount_rate <= -1 or minimum_returned < 1:
        raise ConfigError("horizon_weeks and minimum_returned must be at least 1, yearly_discount_rate above -1")
    table = order_by_key(customers, key)
    frequency, recency, age = (read_numbers(table, name) for name in ("frequency", "recency_weeks", "age_weeks"))
    _require_histories(table.column(key), frequency, recency, age)
    value = read_numbers(table, "monetary_mean")
    first_days = round(float(age.max(initial=0.0)) * 7)
    training = Training(model_version("lifetime_value", RULES, "scipy"), as_of - timedelta(first_days), as_of)

    histories, place = Histories.of(frequency, recency, age)
    purchases = _fit_purchases(histories, minimum_customers, minimum_returned)
    spend = _fit_spend(frequency, value, minimum_returned, maximum_correlation)
    nothing = np.full(len(table), np.nan)
    alive, expected, discounted = nothing, nothing, nothing
    if isinstance(purchases.model, BgNbd):
        alive = purchases.model.probability_alive(histories)[place]
        weeks = np.arange(1, horizon_weeks + 1, dtype=np.float64)
        sums = _weekly_sums(weeks, yearly_discount_rate)
        expected, discounted = purchases.model.expected_purchases(histories, weeks, sums)[place].T
    each = nothing
    if isinstance(spend.model, GammaGamma):
        known = (frequency == 0) | (value > 0)
        each = np.where(known, spend.model.expected_value(frequency, np.where(value > 0, value, 0.0)), np.nan)
    status = np.where(np.isnan(expected), "not_estimated", np.where(np.isnan(each), "no_value", "estimated"))
    results = {
        key: table.column(key),
        "status": pa.array(status, pa.string()),
        "probability_alive": _nullable(alive),
        "expected_purchases": _nullable(expected),
        "expected_value": _nullable(each),
        "lifetime_value": _nullable(each * discounted),
    }
    fits = pa.Table.from_pylist([_row(fit) for fit in (purchases, spend)], schema=MODELS)
    return LifetimeValues(training.stamp(pa.table(results)), training.stamp(fits), purchases, spend)


MODELS = pa.schema(
    [
        ("model", pa.string()), ("status", pa.string()), ("reason", pa.string()),
        ("customers", pa.int64()), ("left_out", pa.int64()),
        ("log_likelihood", pa.float64()), ("parameters", pa.string()),
    ]
)  # fmt: skip


def _require_histories(keys: pa.ChunkedArray, frequency: Floats, recency: Floats, age: Floats) -> None:
    remedy = "docs/science.md has the query that makes these columns"
    require((frequency >= 0) & (frequency == np.floor(frequency)), keys, "frequency is a whole number >= 0", remedy)
    require((recency >= 0) & (recency <= age), keys, "0 <= recency_weeks <= age_weeks", remedy)
    require((recency > 0) == (frequency > 0), keys, "recency_weeks is 0 exactly where frequency is 0", remedy)


def _fit_purchases(histories: Histories, minimum_customers: int, minimum_returned: int) -> Fit:
    customers = int(histories.count.sum())
    returned = int(histories.count[histories.frequency > 0].sum())
    if customers < minimum_customers or returned < minimum_returned:
        needed = f"{minimum_customers} and {minimum_returned} are needed"
        reason = f"{customers} customers, of whom {returned} came back; {needed}"
        return Fit("bg_nbd", "too_few_customers", reason, customers, 0)
    return _judge("bg_nbd", fit_bg_nbd, (histories,), customers, 0)


def _fit_spend(frequency: Floats, value: Floats, minimum_returned: int, maximum_correlation: float) -> Fit:
    returned = frequency > 0
    usable = returned & (value > 0)
    x, mean = frequency[usable], value[usable]
    customers, left_out = len(x), int(returned.sum()) - len(x)
    if customers < minimum_returned:
        reason = f"{customers} customers came back and spent something; {minimum_returned} are needed"
        return Fit("gamma_gamma", "too_few_customers", reason, customers, left_out)
    correlation = correlate(x, mean)
    if abs(correlation) > maximum_correlation:
        reason = f"frequency and mean value correlate by {correlation:.2f}; the model allows for {maximum_correlation}"
        return Fit("gamma_gamma", "correlated", reason, customers, left_out)
    fit = _judge("gamma_gamma", fit_gamma_gamma, (x, mean), customers, left_out)
    if isinstance(fit.model, GammaGamma) and not fit.model.has_mean:
        reason = f"q is {fit.model.q:.3g}: with q <= 1 mean spend is infinite, a few customers spend without measure"
        return Fit("gamma_gamma", "no_mean", reason, customers, left_out)
    return fit


def _judge(
    name: str,
    fit: Callable[..., tuple[BgNbd | GammaGamma, Maximum]],
    data: tuple[Any, ...],
    customers: int,
    left_out: int,
) -> Fit:
    model, maximum = fit(*data)
    if not maximum.is_reached:
        return Fit(name, "not_converged", "the search ended before a maximum of the likelihood", customers, left_out)
    ran_out = ", ".join(maximum.at_limit)
    status, reason = ("at_limit", f"at the end of its range: {ran_out}") if ran_out else ("fitted", "")
    return Fit(name, status, reason, customers, left_out, model, maximum.log_likelihood)


def correlate(x: Floats, y: Floats) -> float:
    """Pearson's correlation; 0 where one of them is constant."""
    dx, dy = (column / np.abs(column).max() for column in (x, y))  # squares of great values would be infinite
    dx, dy = dx - dx.mean(), dy - dy.mean()
    scale = np.sqrt((dx**2).sum() * (dy**2).sum())
    return float((dx * dy).sum() / scale) if scale > 0 else 0.0


def _weekly_sums(weeks: Floats, yearly_rate: float) -> Floats:
    """Of purchases until the end of each week: those of all weeks, and those of each week discounted from its end."""
    discount = (1 + yearly_rate) ** (-weeks / WEEKS_PER_YEAR)
    total = np.zeros_like(weeks)
    total[-1] = 1
    return np.column_stack((total, discount - np.append(discount[1:], 0.0)))


def _nullable(values: Floats) -> pa.Array:
    return pa.array(values, pa.float64(), mask=np.isnan(values))


def _row(fit: Fit) -> dict[str, Any]:
    return {
        "model": fit.name,
        "status": fit.status,
        "reason": fit.reason,
        "customers": fit.customers,
        "left_out": fit.left_out,
        "log_likelihood": fit.log_likelihood,
        "parameters": json.dumps(asdict(fit.model) if fit.model else {}),
    }

"""Customer lifetime value, unusual customers and a sales forecast, at the size of a large company.

python benchmarks/science.py [customers] [--series 20] [--days 850] [--runs 3]     (default 1,000,000 customers)

Customers are drawn from the models' own stories (BG/NBD, Gamma-Gamma) by a seed: they joined on any day of three years and
most came back; days are counted singly, so that weeks are fractional and few of them are alike. Series of sales have a
shape of the week and one of the year, two years and some months long.
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from functools import partial

import numpy as np
import pyarrow as pa
from report import Figure, interleaved, machine_facts, show

from regulars.science.bg_nbd import Histories, fit_bg_nbd
from regulars.science.lifetime_value import estimate_lifetime_value
from regulars.science.sales_forecast import forecast_sales
from regulars.science.unusual_customers import find_unusual_customers

AS_OF = date(2026, 6, 30)
SEED = 7
DAYS_JOINED = 1095


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("customers", nargs="?", type=lambda text: int(text.replace("_", "")), default=1_000_000)
    options.add_argument("--series", type=int, default=20)
    options.add_argument("--days", type=int, default=850)
    options.add_argument("--runs", type=int, default=3)
    given = options.parse_args()
    customers, features = draw_customers(given.customers, SEED), draw_features(given.customers, SEED)
    sales = draw_sales(given.series, given.days, SEED)
    columns = [customers[name].to_numpy() for name in ("frequency", "recency_weeks", "age_weeks")]
    histories = Histories.of(*(column.astype(np.float64) for column in columns))[0]
    seconds = interleaved(
        given.runs,
        fit=partial(fit_bg_nbd, histories),
        lifetime=partial(estimate_lifetime_value, customers, as_of=AS_OF),
        unusual=partial(find_unusual_customers, features, first_date=AS_OF, as_of=AS_OF, seed=SEED),
        forecast=partial(forecast_sales, sales, as_of=AS_OF),
    )
    target = "<= 60" if given.customers >= 1_000_000 else ""
    figures = [
        Figure("lifetime value, all of it: fits, 52 weeks discounted", seconds["lifetime"], target=target),
        Figure("  of which the search for the BG/NBD parameters", seconds["fit"]),
        Figure("  distinct purchase histories", float(len(histories.age)), ""),
        Figure("unusual customers, 12 features, 1 % explained", seconds["unusual"]),
        Figure("sales forecast, 28 days, four windows, per series", seconds["forecast"] / (given.series + 1)),
    ]
    sizes = {"customers": given.customers, "series": given.series, "days": given.days}
    show("science", figures, machine_facts(**sizes, runs=given.runs, seed=SEED))


def draw_customers(size: int, seed: int) -> pa.Table:
    """Histories of `size` customers, a row each, with the columns that `estimate_lifetime_value` reads."""
    random = np.random.default_rng(seed)
    age = random.integers(0, DAYS_JOINED, size) / 7
    rate = random.gamma(1.2, 1 / 10.0, size)
    stops = random.beta(0.8, 7.0, size)
    frequency, last, now = np.zeros(size, dtype=np.int64), np.zeros(size), np.zeros(size)
    at = np.flatnonzero(age > 0)
    while len(at):  # one purchase of everybody who is still there
        now[at] += np.maximum(np.ceil(random.exponential(1 / np.maximum(rate[at], 1e-12)) * 7), 1) / 7
        at = at[now[at] <= age[at]]
        frequency[at] += 1
        last[at] = now[at]
        at = at[random.random(len(at)) >= stops[at]]
    spread = random.gamma(3.74, 1 / 15.44, size)
    mean = random.gamma(6.25 * np.maximum(frequency, 1), 1 / spread) / np.maximum(frequency, 1)
    return pa.table(
        {
            "customer_id": np.arange(size),
            "frequency": frequency,
            "recency_weeks": last,
            "age_weeks": age,
            "monetary_mean": pa.array(np.round(mean, 2), mask=frequency == 0),
        }
    )


def draw_features(size: int, seed: int) -> pa.Table:
    """Twelve numeric features of `size` customers, a third of them skewed, a share of one not known."""
    random = np.random.default_rng(seed)
    columns = {
        f"feature_{n:02}": random.normal(0, 1, size) if n % 3 else random.lognormal(0, 1, size) for n in range(12)
    }
    columns["feature_01"][:: size // 100] = np.nan
    return pa.table({"customer_id": np.arange(size), **columns})


def draw_sales(series: int, days: int, seed: int) -> pa.Table:
    """Daily totals of `series` categories over `days` days until AS_OF; every fourth sells on two days in five."""
    random = np.random.default_rng(seed)
    day = np.arange(days)
    dates = [AS_OF - timedelta(days - 1 - int(one)) for one in day]
    tables = []
    for number in range(series):
        level = random.uniform(50, 5000) * (1 + 0.2 * np.sin(2 * np.pi * day / 7) + 0.3 * np.sin(2 * np.pi * day / 365))
        sold = np.maximum(level * random.normal(1, 0.15, days), 0)
        sold = np.where(random.random(days) < 0.4, sold, 0) if number % 4 == 3 else sold
        tables.append(pa.table({"series": [f"category {number:02}"] * days, "date": dates, "value": sold}))
    return pa.concat_tables(tables)


if __name__ == "__main__":
    main()

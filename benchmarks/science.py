"""Customer lifetime value, unusual customers and a sales forecast, at the size of a large company.

python benchmarks/science.py [customers] [--series 20] [--days 730] [--runs 3]     (default 1,000,000 customers)

Customers are drawn from the models' own stories (BG/NBD with the parameters of CDNOW, Gamma-Gamma) by a seed: joined on
any day of three years, days counted singly, so that weeks are fractional and hardly two returning customers are alike.
"""

from __future__ import annotations

import argparse
from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa
from report import Figure, interleaved, machine_facts, show

from regulars.science.lifetime_value import estimate_lifetime_value

AS_OF = date(2026, 6, 30)
SEED = 7
DAYS_JOINED = 1095


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("customers", nargs="?", type=lambda text: int(text.replace("_", "")), default=1_000_000)
    options.add_argument("--runs", type=int, default=3)
    given = options.parse_args()
    customers = draw_customers(given.customers, SEED)
    seconds = interleaved(given.runs, lifetime=partial(estimate_lifetime_value, customers, as_of=AS_OF))
    target = "<= 60" if given.customers >= 1_000_000 else ""
    figures = [Figure("lifetime value: fit, predict, 52 weeks discounted", seconds["lifetime"], target=target)]
    show("science", figures, machine_facts(customers=given.customers, runs=given.runs, seed=SEED))


def draw_customers(size: int, seed: int) -> pa.Table:
    """Histories of `size` customers, a row each, with the columns that `estimate_lifetime_value` reads."""
    random = np.random.default_rng(seed)
    age = random.integers(0, DAYS_JOINED, size) / 7
    rate = random.gamma(0.243, 1 / 4.414, size)
    stops = random.beta(0.793, 2.426, size)
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


if __name__ == "__main__":
    main()

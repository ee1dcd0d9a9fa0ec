"""Segment uplift against scipy and hand-written formulas on made-up members, with an uplift planted and without one."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from tests.integration.dbt.dbt_calls import run_dbt
from tests.integration.dbt.landings import Batch, Row, Warehouse

ENTERED, DAY = date(2026, 1, 5), date(2026, 3, 31)
ASKED = ("--select", "segment_outcomes", "segment_uplift")
TABLES = """
create schema marts; create schema segments;
create table marts.loyalty_history (
    user_id varchar, marketing_consent boolean, support_consent boolean, valid_from date, valid_to date);
create table marts.user_daily_activity (
    user_id varchar, activity_on date, landed_on date, purchase_count bigint, purchase_amount decimal(18, 2), login_count bigint);
create table segments.membership (segment varchar, user_id varchar, entered_on date, left_on date);
"""


def planted(warehouse: Warehouse, treated: int, held_out: int, pct: float, *, effect: float, logins: float) -> None:
    """Members of `highly_engaged` who entered together; treated ones order `effect` times as much, and spend skewed amounts."""
    draw = np.random.default_rng(20260105)
    count = treated + held_out
    is_treated = np.arange(count) < treated
    users = [f"u{n:06d}" for n in range(count)]
    orders = draw.poisson(np.where(is_treated, 2.0 * effect, 2.0))
    amounts = [f"{sum(draw.lognormal(3, 0.8, n)):.2f}" for n in orders]
    facts = {"user_id": users, "orders": orders, "amount": amounts, "logins": draw.poisson(logins, count)}
    con = warehouse.con
    con.execute(TABLES)
    con.register("facts", pa.table(facts))
    con.execute("insert into marts.loyalty_history select user_id, true, true, date '2026-01-01', null from facts")
    con.execute(
        "insert into segments.membership select 'highly_engaged', user_id, ?, ? from facts",
        [ENTERED, ENTERED + timedelta(days=3)],
    )
    # What a member did stands on two days, was stated too high first, and corrected later.
    for when, share in ((ENTERED + timedelta(days=1), 1), (ENTERED + timedelta(days=28), 0)):
        con.execute(
            f"""insert into marts.user_daily_activity
                select user_id, ?, ?, (orders + 1) * {share}, cast(amount as decimal(18, 2)) * {share}, logins * {share} from facts
                union all select user_id, ?, ?, -1 * {share}, 0, 0 from facts""",
            [when, when, when, when + timedelta(days=2)],
        )
    con.execute("insert into ops.holdouts values ('highly_engaged', ?, ?)", [pct, ENTERED])
    con.execute("insert into ops.holdout_members select 'highly_engaged', user_id from facts where user_id >= ?", [f"u{treated:06d}"])


def uplift(warehouse: Warehouse, as_of: date = DAY) -> dict[str, Row]:
    warehouse.load(Batch("user_profile", as_of, ()))
    run_dbt(warehouse.path, as_of, arguments=ASKED)
    return {row["outcome"]: row for row in warehouse.rows("select * from segments.segment_uplift")}


def samples(warehouse: Warehouse, value: str) -> list[np.ndarray[Any, Any]]:
    """Values of treated and of held-out members, from what was planted."""
    return [
        np.array(
            warehouse.con.execute(
                f"""select cast({value} as double) from (
                        select user_id, sum(purchase_count) as orders, sum(purchase_amount) as spend, sum(login_count) as logins
                        from marts.user_daily_activity group by user_id)
                    where user_id {known} in (select user_id from ops.holdout_members) order by user_id"""
            ).fetchall()
        ).ravel()
        for known in ("not", "")
    ]


def newcombe(treated: np.ndarray[Any, Any], held_out: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Newcombe's hybrid score interval, by scipy's Wilson intervals."""
    (p, one), (q, two) = (
        (sample.mean(), stats.binomtest(int(sample.sum()), len(sample)).proportion_ci(0.95, "wilson"))
        for sample in (treated, held_out)
    )
    return p - q - math.hypot(p - one.low, two.high - q), p - q + math.hypot(one.high - p, q - two.low)


def power(treated: np.ndarray[Any, Any], held_out: np.ndarray[Any, Any], n_treated: float, n_held_out: float) -> float:
    """Chance to find an uplift of a tenth by a normal test of these sizes."""
    effect = 0.1 * held_out.mean()
    error = math.sqrt(treated.var(ddof=1) / n_treated + held_out.var(ddof=1) / n_held_out)
    return float(stats.norm.cdf(effect / error - stats.norm.ppf(0.975)))


VALUES = {
    "orders": "orders", "spend": "spend", "logins": "logins",
    "buyers": "cast(orders > 0 as integer)", "active": "cast(logins > 0 as integer)",
}  # fmt: skip


@pytest.mark.parametrize(
    ("treated", "held_out", "pct", "effect", "expected"),
    [
        (4500, 500, 10, 1.4, "uplift: the interval lies above 0"),
        (40000, 10000, 20, 1.0, "no uplift: an uplift of 10 % is ruled out"),
        (4500, 500, 10, 0.6, "no uplift: held-out members did better"),
        (60, 35, 37, 1.0, "cannot tell yet: the interval holds both 0 and an uplift of 10 %"),
        (970, 29, 3, 1.4, "cannot tell yet: fewer than 30 members in an arm"),
        (1000, 0, 0, 1.4, "cannot tell yet: nobody is held out"),
    ],
)
def test_figures_are_those_of_an_independent_computation(
    new_warehouse: Callable[[], Warehouse], treated: int, held_out: int, pct: float, effect: float, expected: str
) -> None:
    warehouse = new_warehouse()
    planted(warehouse, treated, held_out, pct, effect=effect, logins=0.7)
    found = uplift(warehouse)
    assert set(found) == set(VALUES)
    for outcome in ("orders", "spend"):
        assert f"{found[outcome]['status']}: {found[outcome]['reason']}" == expected, outcome
    for outcome, row in found.items():
        one, two = samples(warehouse, VALUES[outcome])
        assert (row["treated_members"], row["held_out_members"], row["waiting_members"]) == (len(one), len(two), 0)
        assert float(row["treated_mean"]) == pytest.approx(one.mean(), abs=1e-6)
        if not held_out:
            assert row["difference"] is row["difference_lower"] is row["held_out_still_needed"] is None
            continue
        interval = (
            stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.95)
            if row["kind"] == "mean"
            else newcombe(one, two)
        )
        assert float(row["difference_lower"]) == pytest.approx(interval[0], abs=2e-6)
        assert float(row["difference_upper"]) == pytest.approx(interval[1], abs=2e-6)
        assert float(row["relative_uplift"]) == pytest.approx((one.mean() - two.mean()) / two.mean(), abs=2e-6)
        needed, ratio = len(two) + row["held_out_still_needed"], (100 - pct) / pct
        assert power(one, two, needed * ratio, needed) >= 0.7999
        if row["held_out_still_needed"] > 1:
            assert power(one, two, (needed - 1) * ratio, needed - 1) < 0.8
            assert row["treated_still_needed"] == pytest.approx(needed * ratio - len(one), abs=ratio + 1) or not row["treated_still_needed"]
        if expected.startswith("uplift"):
            assert interval[0] > 0 or outcome in ("logins", "active")


def test_members_wait_until_their_window_is_landed(new_warehouse: Callable[[], Warehouse]) -> None:
    warehouse = new_warehouse()
    planted(warehouse, 100, 50, 33, effect=1.0, logins=1.0)
    early = uplift(warehouse, ENTERED + timedelta(days=27))["orders"]
    assert (early["treated_members"], early["waiting_members"], early["reason"]) == (0, 150, "no window of 28 days is over")
    over = uplift(warehouse, ENTERED + timedelta(days=28))["orders"]
    assert (over["treated_members"], over["held_out_members"], over["waiting_members"]) == (100, 50, 0)
    again = uplift(warehouse, ENTERED + timedelta(days=28))["orders"]
    assert again == over
    warehouse.con.execute("update marts.loyalty_history set marketing_consent = false where user_id < 'u000010'")
    assert uplift(warehouse)["orders"]["treated_members"] == 90, "who did not agree could not be delivered"
    warehouse.con.execute("update ops.holdouts set since = date '2026-02-01'")
    assert uplift(warehouse) == {}, "whoever entered under another share is not compared"


def test_where_nobody_differs_nothing_is_claimed(new_warehouse: Callable[[], Warehouse]) -> None:
    warehouse = new_warehouse()
    planted(warehouse, 100, 50, 33, effect=1.0, logins=0)
    found = uplift(warehouse)
    assert found["logins"]["reason"] == "no two members of an arm differ"
    assert found["active"]["reason"] == "held-out members have nothing to compare with"
    assert found["logins"]["status"] == found["active"]["status"] == "cannot tell yet"

"""Features and purchase histories against figures worked out by hand and by Python, strictly as of the newest landed day."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.dbt.dbt_calls import run_dbt
from tests.integration.dbt.landings import SALES, Batch, Row, Warehouse

DAY = date(2026, 7, 1)
UPDATED = datetime(2026, 7, 1, 6)
# customer, order, days before DAY, status, lines of (product, quantity, amount)
ORDERS: list[tuple[str | None, str, int, str, list[tuple[str, str, str]]]] = [
    ("ann", "a1", 200, "completed", [("p1", "1", "10.00")]),
    ("ann", "a2", 179, "completed", [("p1", "2", "20.00"), ("p2", "1", "5.00")]),
    ("ann", "a3", 179, "completed", [("p2", "1", "5.00")]),  # the same day: one purchase
    ("ann", "a4", 90, "completed", [("p3", "4", "40.00")]),
    ("ann", "a5", 89, "completed", [("p1", "1", "11.00"), ("p1", "-1", "-3.00")]),
    ("ann", "a6", 0, "completed", [("p2", "2", "9.00")]),
    ("ann", "a7", 5, "cancelled", [("p1", "7", "70.00")]),
    ("ann", "a8", 4, "returned", [("p1", "1", "10.00")]),
    ("bob", "b1", 30, "completed", [("p9", "2", "8.00")]),  # of a product that nobody knows: no category
    ("cid", "c1", 10, "cancelled", [("p1", "1", "10.00")]),  # never bought anything
    (None, "n1", 3, "completed", [("p1", "1", "10.00")]),
]


@pytest.fixture
def built(new_warehouse: Callable[[], Warehouse]) -> Warehouse:
    warehouse = new_warehouse()
    customers = [{"customer_id": name, "updated_at": UPDATED, "is_removed": name == "eve"} for name in ("ann", "bob", "cid", "dan", "eve")]
    products = [{"product_id": f"p{n}", "category_id": f"k{min(n, 2)}", "updated_at": UPDATED} for n in (1, 2, 3)]
    orders: list[Row] = []
    lines: list[Row] = []
    for customer, order, back, status, items in ORDERS:
        at = datetime.combine(DAY - timedelta(days=back), datetime.min.time())
        orders.append({"order_id": order, "customer_id": customer, "ordered_at": at, "status": status, "updated_at": UPDATED})
        for number, (product, quantity, amount) in enumerate(items):
            lines.append({
                "order_id": order, "line_id": str(number), "product_id": product, "quantity": Decimal(quantity),
                "total_amount": Decimal(amount), "updated_at": UPDATED,
            })  # fmt: skip
    for table, found in {"customers": customers, "products": products, "orders": orders, "order_items": lines}.items():
        warehouse.load(Batch(table, DAY, tuple(found)))
    run_dbt(warehouse.path, DAY + timedelta(days=6), arguments=SALES)  # asked for later: the newest landed day counts
    return warehouse


@pytest.mark.timeout(300)
def test_features_are_those_worked_out_by_hand(built: Warehouse) -> None:
    found = {row["customer_id"]: row for row in built.rows("select * from marts.customer_features")}
    assert set(found) == {"ann", "bob", "cid", "dan"}, "who was taken out has no row"
    assert {row["as_of"] for row in found.values()} == {DAY}
    gaps = [21, 89, 1, 89]
    mean = sum(gaps) / 4
    units = Counter(k1=4, k2=8)
    expected: dict[str, Any] = {
        "order_count": 6, "order_count_90d": 2, "order_count_prior_90d": 3, "order_count_trend": (2 - 3) / 5,
        "net_amount": 10 + 25 + 5 + 40 + 8 + 9, "net_amount_90d": 17, "net_amount_prior_90d": 70, "net_amount_trend": (17 - 70) / 87,
        "recency_days": 0, "tenure_days": 200,
        "average_order_amount": 16.67, "average_order_lines": 7 / 6, "average_order_quantity": 2,
        "return_share": 2 / 10, "cancellation_share": 1 / 10,
        "days_between_orders": mean,
        "days_between_orders_variation": math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / 4) / mean,
        "category_count": 2, "favourite_category_share": 8 / 12,
        "category_concentration": sum(n * n for n in units.values()) / 144,
    }  # fmt: skip
    assert set(expected) == set(found["ann"]) - {"as_of", "customer_id"}
    for name, value in expected.items():
        assert float(found["ann"][name]) == pytest.approx(value, abs=1e-6), name
    bob = {"order_count": 1, "recency_days": 30, "tenure_days": 30, "order_count_trend": 1, "days_between_orders": None, "category_count": 0,
           "favourite_category_share": None, "days_between_orders_variation": None}  # fmt: skip
    assert {name: found["bob"][name] for name in bob} == bob
    nothing = {"order_count": 0, "net_amount": 0, "recency_days": None, "order_count_trend": None, "category_count": 0}
    assert {name: found["dan"][name] for name in nothing} == nothing
    assert {name: found["cid"][name] for name in nothing} == nothing and found["cid"]["cancellation_share"] == 1


def test_histories_and_series_stand_for_the_newest_day(built: Warehouse) -> None:
    (ann,) = built.rows("select * from intermediate.int_purchase_histories where customer_id = 'ann'")
    assert (ann["frequency"], ann["recency_weeks"], ann["age_weeks"]) == (4, 200 / 7, 200 / 7)
    assert ann["monetary_mean"] == (30 + 40 + 8 + 9) / 4, "purchases of one day are one; the first does not count"
    histories = {row["customer_id"]: row for row in built.rows("select * from intermediate.int_purchase_histories")}
    assert set(histories) == {"ann", "bob"}
    assert (histories["bob"]["frequency"], histories["bob"]["recency_weeks"], histories["bob"]["monetary_mean"]) == (0, 0, None)
    series = built.rows("""
        select category_id, category_rank, sum(net_amount) as amount from intermediate.int_sales_series group by 1, 2 order by 2 nulls last""")
    assert [(row["category_id"], row["category_rank"], row["amount"]) for row in series] == [
        ("k2", 1, Decimal("59.00")), ("k1", 2, Decimal("48.00")), (None, None, Decimal("8.00"))]  # fmt: skip

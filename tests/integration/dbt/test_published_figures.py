"""Statistics of the models against published values: NIST's certified ones, and the thresholds of package rfm for R."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.integration.dbt.dbt_calls import run_dbt
from tests.integration.dbt.landings import SALES, Batch, Row, Warehouse

pytestmark = [pytest.mark.real_data, pytest.mark.timeout(600)]
DAY = date(2006, 12, 31)
NOON = datetime(2006, 12, 31, 12)
THRESHOLDS = {
    "recency_days": (115, 181, Decimal("297.4"), 482),
    "order_count": (4, 5, 6, 8),
    "net_amount": (Decimal("255.8"), 382, Decimal("506.4"), 666),
}


def order(name: str, customer: str | None, on: date) -> Row:
    at = datetime(on.year, on.month, on.day, 12)
    return {"order_id": name, "customer_id": customer, "ordered_at": at, "status": "completed", "updated_at": NOON}


def line(order_id: str, line_id: str, amount: Decimal, product: str = "p") -> Row:
    return {
        "order_id": order_id, "line_id": line_id, "product_id": product, "quantity": 1, "unit_price": None,
        "total_amount": amount, "updated_at": NOON,
    }  # fmt: skip


def nist(path: Path) -> tuple[float, float, list[Decimal]]:
    """Certified mean and standard deviation of a StRD file, and its values."""
    text = path.read_text()
    mean, deviation = (
        float(re.findall(rf"(?im)^\s*(?:sample )?{label}\s*=\s*(-?[\d.]+)", text)[0])
        for label in ("mean", "standard ?deviation")
    )
    data = text[max(place.end() for place in re.finditer(r"(?m)^(?:# Data$|Data: Y)", text)) :].splitlines()
    return mean, deviation, [Decimal(one) for one in (row.strip() for row in data) if re.fullmatch(r"-?[\d.]+", one)]


@pytest.mark.whole
def test_published_figures(new_warehouse: Callable[[], Warehouse], datasets: Path) -> None:
    certified = {path.stem: nist(path) for path in sorted((datasets / "nist").glob("*.txt"))}
    assert len(certified) == 4
    with open(datasets / "rfm" / "rfm_data_orders.csv", encoding="utf-8") as file:
        bought = list(csv.DictReader(file))
    assert len(bought) == 4906
    warehouse = new_warehouse()
    customers = sorted({row["customer_id"] for row in bought})
    orders = [order(f"r{n}", row["customer_id"], date.fromisoformat(row["order_date"])) for n, row in enumerate(bought)]
    lines = [line(f"r{n}", "1", Decimal(row["revenue"])) for n, row in enumerate(bought)]
    orders.append(order("nist", None, DAY))
    for name, (_, _, values) in certified.items():
        lines += [line("nist", f"{name}-{n}", value, name) for n, value in enumerate(values)]
    warehouse.load(
        Batch("customers", DAY, tuple({"customer_id": one, "updated_at": NOON} for one in customers)),
        Batch("orders", DAY, tuple(orders)),
        Batch("order_items", DAY, tuple(lines)),
    )
    run_dbt(warehouse.path, DAY, arguments=("--select", "+int_line_statistics", "+rfm_segments"))

    found = {row["product_id"]: row for row in warehouse.rows("select * from intermediate.int_line_statistics")}
    for name, (mean, deviation, values) in certified.items():
        assert found[name]["line_count"] == len(values)
        assert found[name]["amount_mean"] == pytest.approx(mean, rel=1e-12), name
        assert found[name]["amount_deviation"] == pytest.approx(deviation, rel=1e-9), name

    [thresholds] = warehouse.rows("select * from intermediate.int_rfm_thresholds")
    for column, published in THRESHOLDS.items():
        assert tuple(thresholds[f"{column}_{bin}"] for bin in range(1, 5)) == published
    scored = warehouse.rows("select recency_score as score, count(*) as customers from marts.rfm_segments group by all")
    assert sum(row["customers"] for row in scored) == 995
    assert {row["score"] for row in scored} == {1, 2, 3, 4, 5}

"""Planted faults of the shop: the rows that hold them, and the query that says whether each was caught.

The first of the two weeks after the history brings outliers and broken keys, the second what heals, changes or comes late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from regulars.sample.draws import literal
from regulars.sample.records import Record
from regulars.sample.shop.spec import ShopSpec

SPIKE_TIMES = 4  # how often each order of the odd day is placed
USUAL = "P00001"  # a product with many lines; its price is in the formula of products


@dataclass(frozen=True)
class ShopFault:
    """One fault. `evening` is the first one on which it can be judged; `query` gives true once it is caught."""

    id: str
    kind: str
    evening: date
    description: str
    query: str


@dataclass
class ShopPlan:
    """Rows that faults add to a table from a day on (`adds`), those they replace from another, and the odd day."""

    faults: list[ShopFault] = field(default_factory=list)
    adds: dict[str, list[tuple[date, Record]]] = field(default_factory=dict)
    spike_on: date = date.min

    def rows(self, table: str, evening: date) -> list[Record]:
        """Records of a table that stand there on the evening, the newest of each key (but for exact duplicates)."""
        there = [record for day, record in self.adds.get(table, []) if day <= evening]
        newest: dict[tuple[str | None, ...], Record] = {}
        for record in there:
            newest[_key(table, record)] = record
        again = [record for record in there if record.get("_twice")]
        return [*newest.values(), *again]


def faults_until(spec: ShopSpec, evening: date) -> Sequence[ShopFault]:
    """Faults that can be judged once the refresh of `evening` was run."""
    return [fault for fault in plan_faults(spec).faults if fault.evening <= evening]


@lru_cache(maxsize=4)
def plan_faults(spec: ShopSpec) -> ShopPlan:
    """Everything planted in this shop."""
    plan = ShopPlan()
    if not spec.faults:
        return plan
    _, first, second = spec.evenings
    _outliers(plan, first)
    _broken_keys(plan, first, second)
    _bad_rows(plan, first)
    _changes(plan, spec, first, second)
    plan.spike_on = second - timedelta(days=4)
    _fault(
        plan, "odd_day", second, f"four times the orders of a usual day on {plan.spike_on}",
        f"select count(*) = 1 from marts.anomalies where rule = 'daily_total' and ordered_on = date '{plan.spike_on}'",
    )  # fmt: skip
    return plan


def _outliers(plan: ShopPlan, evening: date) -> None:
    day = evening - timedelta(days=3)
    _order(plan, day, "F-BULK", line("F-BULK", quantity="900", unit_price="3.00", total_amount="2700.00"))
    for rule in ("quantity_iqr", "quantity_mad", "amount_z", "amount_mad"):
        _fault(plan, "outlier", evening, f"900 units on one line, by {rule}", _found(rule, "F-BULK"))
    _order(plan, day, "F-TYPED", line("F-TYPED", product_id="P00002", quantity="2", total_amount="60000.00"))
    for rule in ("total_mismatch", "amount_z"):
        _fault(plan, "outlier", evening, f"a total with four digits too many, by {rule}", _found(rule, "F-TYPED"))
    _order(plan, day, "F-MINUS", line("F-MINUS", unit_price="-3.00", total_amount="-3.00"))
    _fault(plan, "negative_price", evening, "a price below zero", _found("negative_price", "F-MINUS"))
    _order(plan, day, "F-EMPTY", line("F-EMPTY", unit_price=None, total_amount=None))
    _fault(plan, "no_amount", evening, "a line with neither amount nor price", _found("no_amount", "F-EMPTY"))
    _order(plan, day, "F-NOTOTAL", line("F-NOTOTAL", quantity="4", unit_price="2.50", total_amount=None))
    _fault(
        plan, "missing_total", evening, "a line without a total, imputed in marts and counted",
        "select net_amount = 10 and imputed_line_count = 1 from marts.fact_orders where order_id = 'F-NOTOTAL'",
    )  # fmt: skip


def _broken_keys(plan: ShopPlan, first: date, second: date) -> None:
    day = first - timedelta(days=2)
    _order(plan, day, "F-PRODUCT", line("F-PRODUCT", product_id="P99999"))
    _fault(
        plan, "unknown_product", first, "a line of a product that nobody knows", _found("unknown_product", "F-PRODUCT")
    )
    _order(plan, day, "F-CUSTOMER", line("F-CUSTOMER"), customer_id="K9999999")
    _fault(
        plan,
        "unknown_customer",
        first,
        "an order of a customer that nobody knows",
        _found("unknown_customer", "F-CUSTOMER"),
    )
    _add(plan, day, "order_items", line("F-NOORDER", updated_at=f"{day} 12:00:00"))
    _fault(plan, "unknown_order", first, "a line of an order that never came", _found("unknown_order", "F-NOORDER"))
    _order(plan, day, "F-NOBODY", line("F-NOBODY"), customer_id=None)
    _fault(
        plan, "no_customer", first, "an order of nobody, counted and in no figure of a customer",
        "select count(*) = 1 from marts.sales_unmatched_rows where reason = 'no_customer_id' and row_count >= 1",
    )  # fmt: skip
    _add(plan, day, "products", product("P90001", day, category_id="hats"))
    _fault(
        plan, "unknown_category", first, "a product of a category that nobody knows",
        "select count(*) = 1 from marts.anomalies where rule = 'unknown_category' and product_id = 'P90001'",
    )  # fmt: skip
    _order(plan, day, "F-LATE", line("F-LATE", product_id="P90002"))
    _add(plan, second - timedelta(days=5), "products", product("P90002", second - timedelta(days=5)))
    _fault(
        plan, "late_member", second, "a product that arrives a week after its line, which finds it",
        "select count(*) = 1 from marts.fact_order_items where order_id = 'F-LATE' and product_key like 'P90002@%'",
    )  # fmt: skip


def _bad_rows(plan: ShopPlan, evening: date) -> None:
    day = evening - timedelta(days=1)
    _order(plan, day, "F-LETTER", line("F-LETTER", unit_price="12.5O"), line("F-LETTER", line_id="2"))
    _fault(
        plan, "bad_row", evening, "a letter O in a price",
        "select (select count(*) from quarantine.\"ROWS\" where table_name = 'order_items' and cast(raw as varchar) like '%F-LETTER%') > 0 "
        "and (select count(*) from marts.fact_order_items where order_id = 'F-LETTER') = 1",
    )  # fmt: skip
    _order(plan, day, "F-TWICE", line("F-TWICE", _twice="yes"))
    _fault(
        plan, "duplicate", evening, "a line that is there twice",
        "select (select count(*) from marts.fact_order_items where order_id = 'F-TWICE') = 1 "
        "and (select sum(rows_duplicate) from ops.ingestion_logs where table_name = 'order_items' and status = 'loaded') > 0",
    )  # fmt: skip
    _order(
        plan,
        day,
        "F-GONE",
        line("F-GONE", is_removed="true"),
        line("F-GONE", line_id="2", quantity="-2", total_amount="-6.00"),
    )
    _fault(
        plan, "removed", evening, "a line that was taken out, and one that comes back",
        "select count(case when line_type = 'removed' then 1 end) = 1 and count(case when line_type = 'return' then 1 end) = 1 "
        "from marts.fact_order_items where order_id = 'F-GONE'",
    )  # fmt: skip


def _changes(plan: ShopPlan, spec: ShopSpec, first: date, second: date) -> None:
    day = first - timedelta(days=1)
    _order(plan, day, "F-CANCEL", line("F-CANCEL"))
    _order(plan, day, "F-CANCEL", status="cancelled", seen_on=second - timedelta(days=4))
    _fault(
        plan, "cancelled_later", second, "an order that is cancelled a week after it was sold",
        "select status = 'cancelled' and net_amount = 0 and cancelled_amount = 3 from marts.fact_orders where order_id = 'F-CANCEL'",
    )  # fmt: skip
    moved = customer("K8000001", day, country="DE")
    _add(plan, day, "customers", moved)
    _add(
        plan,
        second - timedelta(days=6),
        "customers",
        {**moved, "country": "FR", "updated_at": f"{second - timedelta(days=6)} 08:00:00"},
    )
    _order(plan, day, "F-BEFORE", line("F-BEFORE"), customer_id="K8000001")
    _order(plan, second - timedelta(days=1), "F-AFTER", line("F-AFTER"), customer_id="K8000001")
    _fault(
        plan, "moved", second, "a customer who moves: orders join the version of their time",
        "select count(case when o.order_id = 'F-BEFORE' and c.country = 'DE' then 1 end) = 1 "
        "and count(case when o.order_id = 'F-AFTER' and c.country = 'FR' then 1 end) = 1 "
        "from marts.fact_orders as o inner join marts.dim_customers as c on o.customer_key = c.customer_key",
    )  # fmt: skip
    _order(plan, first - timedelta(days=5), "F-SLOW", line("F-SLOW", updated_at=f"{second} 09:00:00"), seen_on=second)
    _fault(
        plan, "late_order", second, "an order that the shop hears of ten days later, counted on its own day",
        f"select count(*) = 1 from marts.fact_orders where order_id = 'F-SLOW' and ordered_on = date '{first - timedelta(days=5)}'",
    )  # fmt: skip


def line(order: str, **changed: str | None) -> Record:
    return {
        "order_id": order, "line_id": "1", "product_id": USUAL, "quantity": "1", "unit_price": "3.00", "total_amount": "3.00",
        "status": None, "updated_at": None, "is_removed": "false", **changed,
    }  # fmt: skip


def product(name: str, day: date, **changed: str | None) -> Record:
    return {
        "product_id": name, "product_name": f"Novelty {name}", "category_id": "lamps", "brand": "Elm", "list_price": "9.00",
        "updated_at": f"{day} 07:00:00", "is_removed": "false", **changed,
    }  # fmt: skip


def customer(name: str, day: date, **changed: str | None) -> Record:
    return {
        "customer_id": name, "email": f"{name.lower()}@example.com", "full_name": "Nora Novak", "phone": None, "country": "DE",
        "region": "R1", "city": "leipzig", "customer_group": "retail", "signed_up_on": str(day),
        "updated_at": f"{day} 08:00:00", "is_removed": "false", **changed,
    }  # fmt: skip


def _order(
    plan: ShopPlan, day: date, name: str, *lines: Record, seen_on: date | None = None, **changed: str | None
) -> None:
    """An order of `day`, with lines, as the shop knows it from `seen_on` on."""
    seen = seen_on or day
    record: Record = {
        "order_id": name, "customer_id": "K0000001", "ordered_at": f"{day} 12:00:00", "status": "delivered", "channel": "web",
        "currency_code": "EUR", "updated_at": f"{seen} 12:00:00", "is_removed": "false", **changed,
    }  # fmt: skip
    _add(plan, seen, "orders", record)
    for item in lines:
        _add(plan, seen, "order_items", {**item, "updated_at": item["updated_at"] or f"{day} 12:00:00"})


def _add(plan: ShopPlan, day: date, table: str, record: Record) -> None:
    plan.adds.setdefault(table, []).append((day, record))


def _key(table: str, record: Record) -> tuple[str | None, ...]:
    names = {"orders": ("order_id",), "order_items": ("order_id", "line_id"), "products": ("product_id",)}
    return tuple(record[name] for name in names.get(table, ("customer_id",)))


def _fault(plan: ShopPlan, kind: str, evening: date, description: str, query: str) -> None:
    number = 1 + sum(fault.kind == kind for fault in plan.faults)
    plan.faults.append(ShopFault(f"{kind}-{number:02d}", kind, evening, description, query))


def _found(rule: str, order: str) -> str:
    return f"select count(*) >= 1 from marts.anomalies where rule = {literal(rule)} and order_id = {literal(order)}"

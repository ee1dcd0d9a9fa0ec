"""Small random landings of a shop, dense in what goes wrong: late dimensions, corrections, withdrawn rows, orphans and returns."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from tests.integration.dbt.landings import Batch, Row

FIRST = date(2026, 1, 5)
CUSTOMERS = ["c1", "c2", "c3", "c4", "c5"]
PRODUCTS = ["p1", "p2", "p3", "p4"]
CATEGORIES = ["k1", "k2"]
ORDERS = [f"o{number}" for number in range(14)]
TABLES = ("customers", "products", "categories", "orders", "order_items")


class ShopWorld:
    """Batches of some days; equal for equal seeds. `revise` gives a batch of a day once more, with other rows."""

    def __init__(self, seed: int, days: int = 5) -> None:
        self.chance = random.Random(seed)
        self.days = [FIRST + timedelta(days=n + (n > 2)) for n in range(days)]  # one day without a landing
        self.batches = [
            Batch(table, day, self.rows(table, day)) for day in self.days for table in TABLES if self.chance.random() < 0.85
        ]

    def revise(self, revision: int) -> Batch:
        old = self.chance.choice(self.batches)
        scope = self.chance.choice(["full", "full", "add"])
        return Batch(old.table, old.as_of, self.rows(old.table, old.as_of), revision, scope)

    def rows(self, table: str, day: date) -> tuple[Row, ...]:
        rows: list[Row] = getattr(self, f"_{table}")(day)
        rows += [dict(row) for row in rows if self.chance.random() < 0.1]
        self.chance.shuffle(rows)
        return tuple(rows)

    def _moment(self, day: date) -> datetime:
        back = timedelta(days=self.chance.choice([0, 0, 0, 1, 2, 4]))
        return datetime.combine(day - back, time(self.chance.choice([0, 5, 23])))

    def _some(self, names: list[str], share: float = 0.6) -> list[str]:
        return [name for name in names if self.chance.random() < share]

    def _customers(self, day: date) -> list[Row]:
        pick = self.chance.choice
        return [
            {
                "customer_id": name, "email_hash": f"e-{name}", "country": pick(["DE", "FR", None]), "region": None,
                "city": pick(["berlin mitte", " Lyon"]), "customer_group": pick(["Retail", "wholesale"]),
                "signed_up_on": FIRST, "updated_at": self._moment(day), "is_removed": self.chance.random() < 0.1,
            }
            for name in self._some(CUSTOMERS)
        ]  # fmt: skip

    def _products(self, day: date) -> list[Row]:
        pick = self.chance.choice
        return [
            {
                "product_id": name, "product_name": f"Product {name}", "category_id": pick([*CATEGORIES, "k9", None]),
                "brand": None, "list_price": Decimal(pick(["1.5", "2.25"])), "updated_at": self._moment(day),
                "is_removed": self.chance.random() < 0.1,
            }
            for name in self._some(PRODUCTS)
        ]  # fmt: skip

    def _categories(self, day: date) -> list[Row]:
        return [
            {
                "category_id": name, "category_name": self.chance.choice([f"Category {name}", name]),
                "department": "d", "updated_at": self._moment(day),
            }
            for name in self._some(CATEGORIES, 0.8)
        ]  # fmt: skip

    def _orders(self, day: date) -> list[Row]:
        pick = self.chance.choice
        return [
            {
                "order_id": name, "customer_id": pick([*CUSTOMERS, *CUSTOMERS, "c9", None]), "ordered_at": self._moment(day),
                "status": pick(["created", "completed", "completed", "cancelled", "returned"]), "channel": "web",
                "currency_code": "EUR", "updated_at": self._moment(day), "is_removed": self.chance.random() < 0.05,
            }
            for name in self._some(ORDERS, 0.4)
        ]  # fmt: skip

    def _order_items(self, day: date) -> list[Row]:
        pick = self.chance.choice
        return [
            {
                "order_id": name, "line_id": line, "product_id": pick([*PRODUCTS, *PRODUCTS, "p9", None]),
                "quantity": Decimal(pick(["1", "2", "3.5", "-2"])), "unit_price": pick([Decimal("2.5"), Decimal("0.3333"), None]),
                "total_amount": pick([Decimal("5.00"), Decimal("7.5"), None]), "status": pick([None, None, "sold", "returned"]),
                "updated_at": self._moment(day), "is_removed": self.chance.random() < 0.05,
            }
            for name in [*self._some(ORDERS, 0.4), *self._some(["o90", "o91"], 0.3)]
            for line in self._some(["1", "2", "3"])
        ]  # fmt: skip

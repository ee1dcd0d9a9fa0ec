"""The star schema of the shop: incremental facts agree with a full refresh, whatever arrives, in whatever order."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date

import pytest

from tests.integration.dbt.dbt_calls import run_dbt
from tests.integration.dbt.landings import SALES, STAGES, Batch, Warehouse
from tests.integration.dbt.shop_worlds import ShopWorld

# The first one in `make test`, the others in `make test-whole`; more: REGULARS_TEST_SEEDS=50.
SEEDS = [
    pytest.param(seed, marks=pytest.mark.whole if seed else ())
    for seed in range(int(os.environ.get("REGULARS_TEST_SEEDS", "2")))
]
HISTORY = ("intermediate.int_customers_history", "intermediate.int_products_history")
TABLES = (*HISTORY, "intermediate.int_customer_months", "intermediate.int_category_days", "intermediate.int_customer_visits", *(f"marts.{name}" for name in STAGES["sales"].models if not name.startswith(("stg_", "int_"))))


class Shop:
    """A warehouse that takes in batches as a flow does: what changed is built from its first day to the newest.

    `remembers`: it knows what was built, as a flow does; else every run takes it that it goes back.
    """

    def __init__(self, warehouse: Warehouse, remembers: bool) -> None:
        self.warehouse, self.remembers = warehouse, remembers
        self.landed: list[Batch] = []
        if remembers:
            warehouse.con.execute(
                "create table ops.built_batches (stage varchar, batch_id varchar, table_name varchar, as_of date)"
            )

    @property
    def newest(self) -> date:
        return max(batch.as_of for batch in self.landed)

    def land(self, *new: Batch) -> None:
        self.warehouse.load(*new)
        self.landed += new
        run_dbt(self.warehouse.path, self.newest, min(batch.as_of for batch in new), arguments=SALES)
        if self.remembers:
            self.warehouse.con.execute("delete from ops.built_batches")
            self.warehouse.con.execute(
                "insert into ops.built_batches select 'sales', batch_id, table_name, as_of from ops.effective_batches"
            )

    def tables(self) -> dict[str, list[str]]:
        found = {name: self.warehouse.con.execute(f"select * from {name} order by all").fetchall() for name in TABLES}
        return {name: [repr(row) for row in rows] for name, rows in found.items()}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_facts_built_day_by_day_are_those_built_at_once(new_warehouse: Callable[[], Warehouse], seed: int) -> None:
    world = ShopWorld(seed)
    shop = Shop(new_warehouse(), remembers=seed % 2 == 0)
    for day in world.days:
        shop.land(*(batch for batch in world.batches if batch.as_of == day))
    for revision in (2, 3):
        shop.land(world.revise(revision))
    incremental = shop.tables()
    assert incremental["marts.fact_order_items"] and incremental["marts.fact_orders"]
    run_dbt(shop.warehouse.path, shop.newest, arguments=(*SALES, "--full-refresh"))
    rebuilt = shop.tables()
    for name in TABLES:
        assert incremental[name] == rebuilt[name], name

    other = Shop(new_warehouse(), remembers=seed % 2 == 0)
    batches = list(shop.landed)
    world.chance.shuffle(batches)
    for start in range(0, len(batches), 5):
        other.land(*batches[start : start + 5])
    shuffled = other.tables()
    for name in TABLES:
        assert shuffled[name] == rebuilt[name], name

"""The loyalty marts against an independent oracle, over random landings in any order."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from tests.integration.dbt.dbt_calls import run_dbt
from tests.integration.dbt.landings import LOYALTY, Batch, Row, Warehouse
from tests.integration.dbt.oracle import Oracle
from tests.integration.dbt.worlds import World

# The first one in `make test`, the others in `make test-whole`; more: REGULARS_TEST_SEEDS=50.
SEEDS = [
    pytest.param(seed, marks=pytest.mark.whole if seed else ())
    for seed in range(int(os.environ.get("REGULARS_TEST_SEEDS", "2")))
]
AGAIN = (
    *LOYALTY,
    "--exclude",
    "path:models/staging",
    "feature_adoption_by_region",
    "loyalty_unmatched_rows",
)  # what the run before left standing
TABLES = ("marts.user_daily_activity", "marts.loyalty_history", "marts.loyalty_master", "segments.membership")
Comparable = list[tuple[str, ...]]


def comparable(rows: list[Row]) -> Comparable:
    """Rows as sorted text; decimals by value, whatever their scale."""
    return sorted(tuple(f"{name}={_text(row[name])}" for name in sorted(row)) for row in rows)


def _text(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, Decimal) else str(value)


class Company:
    """A warehouse, what was landed in it, and the settings of its runs."""

    def __init__(self, warehouse: Warehouse, **settings: str) -> None:
        self.warehouse, self.settings = warehouse, settings
        self.landed: list[Batch] = []

    @property
    def newest(self) -> date:
        return max(batch.as_of for batch in self.landed)

    def land(self, *new: Batch) -> None:
        """Load batches and build what they change, as a flow does."""
        arguments = AGAIN if self.landed else LOYALTY
        self.warehouse.load(*new)
        self.landed += new
        run_dbt(
            self.warehouse.path, self.newest, min(batch.as_of for batch in new), arguments=arguments, **self.settings
        )

    def rebuild(self) -> None:
        run_dbt(self.warehouse.path, self.newest, arguments=(*LOYALTY, "--full-refresh"), **self.settings)

    def oracle(self) -> Oracle:
        return Oracle(self.landed, self.settings.get("timezone", "UTC"), self.settings.get("population", ""))

    def rows(self, relation: str) -> Comparable:
        return comparable(self.warehouse.rows(f"select * from {relation}"))

    def tables(self) -> dict[str, Comparable]:
        return {table: self.rows(table) for table in TABLES}

    def daily(self, day: date) -> Comparable:
        return self.rows(f"marts.loyalty_history_daily where snapshot_date = date '{day}'")

    def assert_as_oracle(self) -> None:
        oracle = self.oracle()
        days = oracle.landed_days
        between = [day for day in oracle.calendar() if day not in days]
        for day in days + between[::7]:
            assert self.daily(day) == comparable(list(oracle.master(day).values())), f"master of {day}"
        assert self.rows("marts.loyalty_history") == comparable(oracle.history())
        assert self.rows("segments.membership") == comparable(oracle.membership())
        assert self.rows("marts.loyalty_master") == self.daily(days[-1])


@pytest.fixture
def company(new_warehouse: Callable[[], Warehouse]) -> Callable[..., Company]:
    return lambda **settings: Company(new_warehouse(), **settings)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_of_landings_gives_what_the_oracle_says(seed: int, company: Callable[..., Company]) -> None:
    zone, population = ["America/New_York", "UTC"][seed % 2], ["", "union", "union", ""][seed % 4]
    settings = {"timezone": zone, "population": population}
    world, chance = World(seed, zone=zone), random.Random(seed)
    by_day = [[batch for batch in world.batches if batch.as_of == day] for day in world.days]

    in_order, any_order = company(**settings), company(**settings)
    for batches in by_day:
        in_order.land(*batches)
    for batches in chance.sample(by_day, len(by_day)):
        any_order.land(*batches)
    in_order.assert_as_oracle()
    assert in_order.tables() == any_order.tables()

    untouched = [day for day in world.days if day < min(batch.as_of for batch in world.revisions)]
    before = [any_order.daily(day) for day in untouched]
    any_order.land(*world.revisions)
    any_order.assert_as_oracle()
    assert [any_order.daily(day) for day in untouched] == before

    revised = any_order.tables()
    any_order.rebuild()
    assert any_order.tables() == revised
    oracle = any_order.oracle()
    assert any_order.rows("marts.feature_adoption_by_region") == comparable(oracle.feature_adoption(any_order.newest))
    assert any_order.rows("marts.loyalty_unmatched_rows") == comparable(oracle.unmatched(any_order.newest))


@pytest.mark.whole
@pytest.mark.timeout(900)
def test_replay_of_a_past_day_and_building_in_chunks_end_in_equal_tables(company: Callable[..., Company]) -> None:
    world = World(1000)
    built = company()
    built.land(*world.batches)
    before = built.tables()
    path = built.warehouse.path
    run_dbt(path, world.days[1], arguments=AGAIN)
    assert built.tables() | {"marts.loyalty_master": before["marts.loyalty_master"]} == before
    assert built.rows("marts.loyalty_master") == built.daily(world.days[1])

    run_dbt(path, world.days[1], world.days[0], arguments=(*AGAIN, "--full-refresh"))
    run_dbt(path, world.days[-1], world.days[2], arguments=AGAIN)
    assert built.tables() == before


@pytest.mark.whole
@pytest.mark.timeout(900)
def test_a_run_writes_only_the_stretches_that_start_and_the_ends_of_those_that_end(
    company: Callable[..., Company],
) -> None:
    def places() -> dict[tuple[str, date], int]:
        rows = built.warehouse.rows("select rowid, user_id, valid_from from marts.loyalty_history")
        return {(row["user_id"], row["valid_from"]): row["rowid"] for row in rows}

    world, built = World(1001), company()
    last = world.days[-1]
    built.land(*(batch for batch in world.batches if batch.as_of < last))
    before = places()
    built.land(*(batch for batch in world.batches if batch.as_of == last))
    after = places()
    ended = built.warehouse.rows(f"select * from marts.loyalty_history where valid_to = date '{last}'")
    assert ended and any(start == last for _, start in after)
    assert {stretch: place for stretch, place in after.items() if stretch[1] < last} == before

    for day in (last, world.days[1]):
        run_dbt(built.warehouse.path, day, arguments=(*AGAIN, "loyalty_master"))
        assert places() == after

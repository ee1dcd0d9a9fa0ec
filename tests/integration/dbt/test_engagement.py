"""Client engagement: what is built day by day is what is built at once, and what plain Python makes of the same landings."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import date

import pytest

from tests.integration.dbt.dbt_calls import failed_nodes, invoke_dbt, run_dbt
from tests.integration.dbt.engagement_worlds import EngagementWorld, expected_summary, newest, reason_of
from tests.integration.dbt.landings import ALL_CONTRACTS, ENGAGEMENT, PROJECT, STAGES, Batch, Row, Warehouse

# The first one in `make test`, the others in `make test-whole`; more: REGULARS_TEST_SEEDS=50.
SEEDS = [
    pytest.param(seed, marks=pytest.mark.whole if seed else ())
    for seed in range(int(os.environ.get("REGULARS_TEST_SEEDS", "4")))
]
MARTS = [f"marts.{name}" for name in STAGES["engagement"].models if not name.startswith(("stg_", "int_"))]


class Engagement:
    """A warehouse that takes in batches as a flow does: what changed is built up to the newest day."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.landed: list[Batch] = []

    @property
    def newest(self) -> date:
        return max(batch.as_of for batch in self.landed)

    def land(self, *new: Batch) -> None:
        self.warehouse.load(*new)
        self.landed += new
        run_dbt(self.warehouse.path, self.newest, min(batch.as_of for batch in new), arguments=ENGAGEMENT)

    def tables(self) -> dict[str, list[str]]:
        found = {name: self.warehouse.con.execute(f"select * from {name} order by all").fetchall() for name in MARTS}
        return {name: [repr(row) for row in rows] for name, rows in found.items()}

    def summary(self) -> dict[tuple[str, str], Row]:
        rows = self.warehouse.rows("select * from marts.customer_engagement_summary")
        return {(row["client_id"], row["project_code"]): row for row in rows}


def agree_with_the_oracle(engagement: Engagement) -> None:
    """The summary, and the unmatched months, are those that Python makes of the landings."""
    day, batches = engagement.newest, engagement.landed
    found, wanted = engagement.summary(), expected_summary(batches, day)
    assert found.keys() == wanted.keys()
    assert [
        (key, name, found[key][name], value) for key, row in wanted.items() for name, value in row.items() if found[key][name] != value
    ] == []
    assert {row["as_of"] for row in found.values()} == {day}
    projects = {row["project_code"]: row for row in newest(batches, "dim_project", day)}
    sheet = {(r["client_id"], r["project_code"], r["period_starts_on"]) for r in newest(batches, "customer_engagement", day)}
    reasons = {key: reason_of(key[2], projects.get(key[1]), day) for key in sheet}
    listed = engagement.warehouse.rows("select * from marts.engagement_unmatched")
    assert {(r["client_id"], r["project_code"], r["month_starts_on"]): r["reason"] for r in listed} == {
        key: reason for key, reason in reasons.items() if reason
    }
    counted = engagement.warehouse.rows("select reason, row_count from marts.engagement_unmatched_rows")
    assert {row["reason"]: row["row_count"] for row in counted} == Counter(filter(None, reasons.values()))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_days_in_any_order_are_those_built_at_once(new_warehouse: Callable[[], Warehouse], seed: int) -> None:
    world = EngagementWorld(seed)
    engagement = Engagement(new_warehouse())
    for day in world.days:
        if new := [batch for batch in world.batches if batch.as_of == day]:
            engagement.land(*new)
            agree_with_the_oracle(engagement)
    for revision in (2, 3):
        engagement.land(world.revise(revision))
        agree_with_the_oracle(engagement)
    incremental = engagement.tables()
    run_dbt(engagement.warehouse.path, engagement.newest, arguments=(*ENGAGEMENT, "--full-refresh"))
    rebuilt = engagement.tables()
    assert rebuilt["marts.customer_engagement_monthly"] and rebuilt["marts.engagement_unmatched"]
    assert incremental == rebuilt

    other = Engagement(new_warehouse())
    batches = list(engagement.landed)
    world.chance.shuffle(batches)
    for start in range(0, len(batches), 5):
        other.land(*batches[start : start + 5])
    assert other.tables() == rebuilt


def test_only_clients_with_news_are_made_anew(new_warehouse: Callable[[], Warehouse]) -> None:
    world = EngagementWorld(5, days=1)
    engagement = Engagement(new_warehouse())
    day, rows = world.days[0], world.batches[0].rows
    engagement.land(world.batches[0])
    # What nobody computed stays where it is for a client of whom the sheet says what it said before.
    engagement.warehouse.con.execute("update marts.customer_engagement_monthly set session_count_to_date = -1")
    changed = tuple({**row, "spend_amount": 77} if row["client_id"] == "c2" else row for row in rows)
    engagement.land(Batch("customer_engagement", day, changed, 2))
    made = engagement.warehouse.rows("select distinct client_id, session_count_to_date >= 0 as is_new from marts.customer_engagement_monthly")
    assert {(row["client_id"], row["is_new"]) for row in made} == {("c1", False), ("c2", True), ("c3", False)}


def test_a_late_project_finds_its_rows(new_warehouse: Callable[[], Warehouse]) -> None:
    day = date(2026, 1, 5)
    row = {"client_id": "c1", "project_code": "P1", "period_starts_on": date(2025, 12, 1), "session_count": 4, "engagement_level": "high"}
    engagement = Engagement(new_warehouse())
    engagement.land(Batch("customer_engagement", day, (row, {**row, "project_code": "P2"})))
    before = engagement.summary()
    assert [(found["is_matched"], found["unmatched_reason"], found["session_count"]) for found in before.values()] == [
        (False, "unknown_project", 4)
    ] * 2
    project = {"project_code": "P2", "project_name": "Two", "region": "north", "currency_code": "EUR"}
    engagement.land(Batch("dim_project", date(2026, 1, 6), (project,)))
    found = engagement.summary()["c1", "P2"]
    assert (found["is_matched"], found["unmatched_reason"], found["project_name"]) == (True, None, "Two")
    left = engagement.warehouse.rows("select project_code, reason from marts.engagement_unmatched")
    assert left == [{"project_code": "P1", "reason": "unknown_project"}]
    engagement.land(Batch("dim_project", date(2026, 1, 7), ({**project, "project_code": "P3"},)))
    assert not engagement.summary()["c1", "P2"]["is_matched"]


def test_rules_of_the_models_hold_and_can_fail(new_warehouse: Callable[[], Warehouse]) -> None:
    world = EngagementWorld(1)
    warehouse = new_warehouse()
    warehouse.load(*world.batches)
    run_dbt(warehouse.path, world.days[-1], command="build", arguments=ENGAGEMENT)
    for statement in (
        "insert into marts.customer_engagement_monthly select * from marts.customer_engagement_monthly limit 1",
        "update marts.customer_engagement_monthly set session_count = -1, engagement_level = 'hi', level_rank = 9, level_change = 'up'",
        "insert into marts.customer_engagement_summary select * from marts.customer_engagement_summary limit 1",
        "update marts.customer_engagement_summary set recent_session_count = -1, active_month_count = 99, level_change = 'up'",
        "insert into marts.engagement_unmatched select * from marts.engagement_unmatched limit 1",
        "update marts.engagement_unmatched set reason = 'why not'",
        "insert into marts.engagement_unmatched_rows select * from marts.engagement_unmatched_rows limit 1",
        *(
            f"insert into marts.{table} ({column}) values (null)"
            for table in ("customer_engagement_monthly", "customer_engagement_summary", "engagement_unmatched", "engagement_unmatched_rows")
            for column in ("as_of" if "monthly" not in table else "client_name",)
        ),
    ):
        warehouse.con.execute(statement)
    tests = (*ENGAGEMENT, "--exclude-resource-type", "unit_test")
    result = invoke_dbt(warehouse.path, world.days[-1], None, "test", tests)
    held = {one.node.name for one in result.result.results} - set(failed_nodes(result))
    assert not held


def test_levels_stand_in_one_order() -> None:
    import yaml

    levels = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]["engagement"]["levels"]
    assert tuple(levels) == ALL_CONTRACTS["customer_engagement"].by_name["engagement_level"].enum

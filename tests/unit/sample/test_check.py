"""The judge of planted faults: it must say caught where a warehouse is right, and missed where it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from regulars.sample import SampleSpec, check_planted, planted_until
from regulars.sample.faults import plan_faults
from regulars.sample.planted import Planted

SPEC = SampleSpec(users=800, days=5)
SCHEMA = """
create schema quarantine; create schema raw; create schema ops; create schema marts;
create table quarantine.rows (table_name text, as_of date, rule text, raw text);
create table ops.ingestion_logs (table_name text, as_of date, status text, rows_read bigint, rows_loaded bigint, rows_duplicate bigint);
create table marts.loyalty_unmatched_rows (table_name text, reason text, row_count bigint, member_count bigint);
create table marts.loyalty_history (user_id text, valid_from date, valid_to date, is_deleted boolean, tier text, region_code text,
    ticket_count bigint, open_ticket_count bigint, login_count bigint, last_activity_on date, purchase_amount decimal(18, 2));
"""


class Warehouse:
    """A handful of tables, filled as a run that caught everything would fill them."""

    def __init__(self) -> None:
        self.db = duckdb.connect()
        self.db.execute(SCHEMA)
        for fault in plan_faults(SPEC).planted:
            column, value = fault.locator
            self.db.execute(f"create table if not exists raw.{fault.table} (_as_of date, _batch_id text)")
            self.db.execute(f"alter table raw.{fault.table} add column if not exists {column} text")
            self.fill(fault, column, value)

    def fill(self, fault: Planted, column: str, value: str) -> None:
        day, user = fault.day, f"insert into marts.loyalty_history by name select '{value}' as user_id, "
        match fault.kind:
            case "bad_row" | "encoding" | "malformed":
                row = [fault.table, day, fault.rule or "line", f'{{"{column}": "{value}"}}']
                self.db.execute("insert into quarantine.rows values (?, ?, ?, ?)", row)
            case "duplicate":
                self.db.execute(
                    f"insert into raw.{fault.table} (_as_of, _batch_id, {column}) values (?, 'b', ?)", [day, value]
                )
                self.db.execute("insert into ops.ingestion_logs values (?, ?, 'loaded', 10, 9, 1)", [fault.table, day])
            case "versions":
                facts = fault.expect["where"].replace(" and ", ", ").split(", ")
                columns = ", ".join("{1} as {0}".format(*fact.split(" = ")) for fact in facts)
                self.db.execute(f"{user} date '{day}' as valid_from, {columns}")
            case "unknown_region" | "unknown_user":
                self.db.execute(
                    "insert into marts.loyalty_unmatched_rows values (?, ?, 1, 1)", [fault.table, fault.kind]
                )
            case "vanished":
                self.db.execute(f"{user} date '{day}' as valid_from, true as is_deleted")
            case "returned":
                back = fault.expect["back_on"]
                self.db.execute(f"{user} date '{day}' as valid_from, date '{back}' as valid_to, true as is_deleted")
                self.db.execute(f"{user} date '{back}' as valid_from, false as is_deleted")
            case "late":
                on = fault.expect["arrives_on"]
                self.db.execute(f"{user} date '{SPEC.start}' as valid_from, date '{on}' as valid_to, 0 as login_count")
                self.db.execute(f"{user} date '{on}' as valid_from, 1 as login_count, date '{day}' as last_activity_on")
            case "revised":
                self.db.execute(f"{user} date '{SPEC.start}' as valid_from, date '{day}' as valid_to")
                self.db.execute(f"{user} date '{day}' as valid_from, {fault.expect['after']} as purchase_amount")
            case "shrunken":
                self.db.execute("insert into ops.ingestion_logs values (?, ?, 'blocked', 30, 0, 0)", [fault.table, day])
                self.db.execute(
                    "insert into ops.ingestion_logs values (?, ?, 'loaded', 100, 100, 0)", [fault.table, day]
                )

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return self.db.execute(statement).fetchall()


def deliver(folder: Path, guard: str) -> list[Path]:
    texts = [text for fault in plan_faults(SPEC).planted for text in fault.expect.get("texts", [])]
    path = folder / "members.csv"
    path.write_text("user_id\n" + "".join(f"{guard}{text}\n" for text in texts))
    return [path]


def test_a_right_warehouse_catches_everything(tmp_path: Path) -> None:
    planted = planted_until(SPEC, SPEC.day_at(4), "files")
    verdicts = check_planted(planted, Warehouse().query, deliver(tmp_path, "'"))
    assert [verdict.fault.id for verdict in verdicts if not verdict.is_caught] == []
    assert len(verdicts) == 39


OLDER_VERSIONS = "update marts.loyalty_history set tier = 'silver', region_code = 'BE', open_ticket_count = 1"
BREAKS: dict[str, Callable[[Warehouse], object]] = {
    "bad_row": lambda w: w.db.execute("update quarantine.rows set rule = 'other'"),
    "encoding": lambda w: w.db.execute("delete from quarantine.rows"),
    "malformed": lambda w: w.db.execute("delete from quarantine.rows"),
    "duplicate": lambda w: w.db.execute("update ops.ingestion_logs set rows_duplicate = 0"),
    "versions": lambda w: w.db.execute(OLDER_VERSIONS),
    "unknown_region": lambda w: w.db.execute("delete from marts.loyalty_unmatched_rows"),
    "unknown_user": lambda w: w.db.execute("update marts.loyalty_unmatched_rows set row_count = 0"),
    "vanished": lambda w: w.db.execute("update marts.loyalty_history set is_deleted = false"),
    "returned": lambda w: w.db.execute("update marts.loyalty_history set valid_to = null"),
    "late": lambda w: w.db.execute("update marts.loyalty_history set login_count = 1"),
    "revised": lambda w: w.db.execute("update marts.loyalty_history set purchase_amount = 400"),
    "shrunken": lambda w: w.db.execute("delete from ops.ingestion_logs where status = 'blocked'"),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(BREAKS))
def test_a_wrong_warehouse_misses(kind: str) -> None:
    warehouse = Warehouse()
    BREAKS[kind](warehouse)
    planted = [fault for fault in plan_faults(SPEC).planted if fault.kind == kind]
    assert planted
    assert not any(verdict.is_caught for verdict in check_planted(planted, warehouse.query))


def test_a_duplicate_that_was_loaded_is_missed() -> None:
    warehouse = Warehouse()
    warehouse.db.execute("insert into raw.support_calls select * from raw.support_calls")
    planted = [fault for fault in plan_faults(SPEC).planted if fault.kind == "duplicate"]
    missed = [verdict.fault.table for verdict in check_planted(planted, warehouse.query) if not verdict.is_caught]
    assert missed == ["support_calls"]


def test_formulas_are_judged_by_what_was_delivered(tmp_path: Path) -> None:
    planted = [fault for fault in plan_faults(SPEC).planted if fault.kind == "formula"]
    query = Warehouse().query
    assert not any(verdict.is_caught for verdict in check_planted(planted, query))
    assert not any(verdict.is_caught for verdict in check_planted(planted, query, deliver(tmp_path, "")))
    assert all(verdict.is_caught for verdict in check_planted(planted, query, deliver(tmp_path, "'")))

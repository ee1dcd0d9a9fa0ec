"""`dbt source freshness` as a person calls it says of every table what `ops.freshness` says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from regulars.freshness import Freshness, freshness_on
from regulars.landing import land
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources, TableSource
from regulars.warehouse import open_warehouse
from tests.integration.dbt.dbt_calls import invoke_dbt
from tests.integration.dbt.landings import ALL_CONTRACTS

DAY = date(2026, 2, 1)
CLOCK = datetime(2026, 2, 2, 7)
# Rows of the file of each day, by days before DAY. Limits in days: 8 and 15 for orders and lines, 8 and 21 for customers and
# products, 30 and 400 for categories.
LANDED = {
    "orders": {12: 1, 9: 1, 0: 0},  # a day that was delivered, and on which nothing was ordered
    "order_items": {8: 1},
    "customers": {9: 1},
    "products": {25: 1},
    "categories": {31: 1, -3: 1},  # one landing of a later day
}
NEVER = {"user_profile": True, "user_activity": False}  # required or not
STATES = {"fresh": "pass", "stale": "warn", "overdue": "error", "absent": "pass"}


def write_day(folder: Path, table: str, day: date, rows: int) -> None:
    values = {
        column.name: {"timestamp": f"{day} 10:00:00", "varchar": "1", "date": f"{day}"}.get(column.data_type, "1")
        for column in ALL_CONTRACTS[table].columns
        if column.required
    }
    values.update({"status": "completed"} if "status" in values else {})
    path = folder / table / f"{day}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([",".join(values), *[",".join(values.values())] * rows]) + "\n")


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, dict[str, Freshness]]]:
    """A home whose newest landings are of different ages, and what was recorded of them."""
    folder = tmp_path_factory.mktemp("freshness")
    settings = Settings(_env_file=None, home=folder / "home", pseudonym_key="test-key")
    tables = {
        table: TableSource.model_validate(
            {"from": "files", "path": f"{table}/{{as_of}}.csv", "required": NEVER.get(table, True)}
        )
        for table in (*LANDED, *NEVER)
    }
    sources = Sources(connections={"files": Connection(kind="files", path=str(folder / "source"))}, tables=tables)
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(ALL_CONTRACTS)
        for table, days in LANDED.items():
            for before, rows in days.items():
                run = Run("run", "test", DAY - timedelta(days=before), CLOCK)
                write_day(folder / "source", table, run.as_of, rows)
                manifest = land(ALL_CONTRACTS[table], sources, settings, run).manifest
                assert (manifest.is_accepted, manifest.rows_loaded) == (True, rows)
                warehouse.load(ALL_CONTRACTS[table], [manifest], run, CLOCK)
        found = freshness_on(warehouse, ALL_CONTRACTS, sources, DAY)
        warehouse.replace_records("freshness", ["table_name", "as_of"], [one.row(CLOCK) for one in found])
    yield settings, {one.table_name: one for one in found}


def ask_dbt(settings: Settings, as_of: date | None) -> dict[str, Any]:
    """What dbt found of each raw table, by name."""
    answer = invoke_dbt(settings.warehouse_path, as_of, None, "source freshness", ())
    assert answer.exception is None
    found = {one.node.name: one for one in answer.result.results}
    assert answer.success == all(one.status in ("pass", "warn") for one in found.values())
    return found


def test_dbt_and_the_records_agree_table_by_table(landed: tuple[Settings, dict[str, Freshness]]) -> None:
    settings, ours = landed
    assert {table: ours[table].status for table in (*LANDED, *NEVER)} == {
        "orders": "fresh", "order_items": "fresh", "customers": "stale", "products": "overdue", "categories": "stale",
        "user_profile": "never", "user_activity": "never",
    }  # fmt: skip
    theirs = {table: str(one.status) for table, one in ask_dbt(settings, DAY).items()}
    assert set(theirs) == {table for table, one in ALL_CONTRACTS.items() if one.warn_after_days is not None}
    wanted = {
        table: STATES.get(one.status, "error" if one.is_required else "pass")
        for table, one in ours.items()
        if table in theirs
    }
    assert theirs == wanted
    assert {table for table, status in theirs.items() if status != "pass"} == {
        table for table, one in ours.items() if one.is_late
    }


def test_dbt_counts_from_the_newest_day_that_is_over_where_nobody_names_one(
    landed: tuple[Settings, dict[str, Freshness]], monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = ZoneInfo("Pacific/Kiritimati")  # fourteen hours before UTC
    monkeypatch.setenv("REGULARS_TIMEZONE", zone.key)
    before = datetime.now(zone).date()
    (moment,) = {one.snapshotted_at for one in ask_dbt(landed[0], None).values()}
    assert before - timedelta(days=1) <= moment.date() <= datetime.now(zone).date() - timedelta(days=1)

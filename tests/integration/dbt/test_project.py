"""What holds for the project as such: it runs bare, its views can be replayed elsewhere, and its tests can fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
import yaml

from regulars.build_state import build_state, models_in_place
from regulars.run_days import BuildDays
from regulars.settings import Settings
from tests.integration.dbt.dbt_calls import failed_nodes, invoke_dbt, run_dbt
from tests.integration.dbt.landings import LOYALTY, PROJECT, STAGES, Batch, Warehouse
from tests.integration.dbt.worlds import World

MODELS = sorted((PROJECT / "models").rglob("*.sql"))


@pytest.fixture
def built(new_warehouse: Callable[[], Warehouse]) -> tuple[Warehouse, World]:
    world = World(7)
    warehouse = new_warehouse()
    warehouse.load(*world.batches)
    run_dbt(warehouse.path, world.days[-1])
    return warehouse, world


@pytest.mark.whole
@pytest.mark.timeout(900)
def test_bare_dbt_build_works(new_warehouse: Callable[[], Warehouse], tmp_path: Path) -> None:
    world, warehouse = World(3), new_warehouse()
    warehouse.load(*world.batches)
    warehouse.close()
    command = [Path(sys.executable).with_name("dbt"), "build", "--vars", f"as_of: {world.days[-1]}", "--no-use-colors"]
    places = ["--target-path", tmp_path / "target", "--log-path", tmp_path / "logs"]
    environment = {**os.environ, "REGULARS_WAREHOUSE_PATH": str(warehouse.path)}
    done = subprocess.run(
        [*command, *places], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "WARN=0 ERROR=0 SKIP=0" in done.stdout


@pytest.mark.timeout(900)
def test_views_can_be_replayed_in_the_published_copy(built: tuple[Warehouse, World], tmp_path: Path) -> None:
    warehouse, world = built
    views = warehouse.rows(
        "select schema_name, view_name, sql from duckdb_views() where schema_name in ('marts', 'segments') order by view_oid"
    )
    assert {view["view_name"] for view in views} > {"loyalty_history_daily", "highly_engaged", "low_engagement"}
    tables = warehouse.rows(
        "select schema_name, table_name from duckdb_tables() where schema_name in ('marts', 'segments')"
    )
    copy = tmp_path / "published.duckdb"
    warehouse.con.execute(f"attach '{copy}' as published")
    for schema in ("marts", "segments", "ops"):
        warehouse.con.execute(f"create schema published.{schema}")
    for schema, table in [*((t["schema_name"], t["table_name"]) for t in tables), ("ops", "effective_batches")]:
        warehouse.con.execute(f"create table published.{schema}.{table} as select * from {schema}.{table}")
    warehouse.con.execute("detach published")
    day = f"snapshot_date = date '{world.days[0]}'"
    with duckdb.connect(str(copy)) as published:
        for view in views:
            published.execute(view["sql"])
        for view in views:
            query = f"select * from {view['schema_name']}.{view['view_name']} where {day} order by all"
            assert published.execute(query).fetchall() == warehouse.con.execute(query).fetchall()


@pytest.mark.timeout(900)
def test_every_data_test_can_fail(built: tuple[Warehouse, World]) -> None:
    warehouse, world = built
    for damage in [
        "insert into marts.user_daily_activity select * from marts.user_daily_activity limit 1",
        "insert into marts.feature_adoption_by_region select * from marts.feature_adoption_by_region limit 1",
        "update marts.feature_adoption_by_region set user_share = 1.5",
        "insert into marts.loyalty_unmatched_rows select snapshot_date, 'x', 'because', 1, 1 from marts.loyalty_master limit 2",
        "insert into marts.loyalty_unmatched_rows select * from marts.loyalty_unmatched_rows limit 2",
        "insert into marts.loyalty_history select * from marts.loyalty_history where valid_to is null limit 1",
        "insert into marts.loyalty_master select * from marts.loyalty_master limit 1",
        "update marts.loyalty_master set user_id = null where user_id = (select min(user_id) from marts.loyalty_master)",
        "update marts.loyalty_master set login_count = -1, engagement_score = 101, engagement_band = 'huge', open_ticket_count = ticket_count + 1",
        "insert into segments.membership select * from segments.membership limit 1",
        "update segments.membership set segment = null where user_id = (select max(user_id) from segments.membership)",
    ]:
        warehouse.con.execute(damage)
    result = invoke_dbt(warehouse.path, world.days[-1], world.days[0], "test", (*LOYALTY, "--exclude-resource-type", "unit_test"))
    passed = {one.node.name for one in result.result.results} - set(failed_nodes(result))
    assert not passed


def test_missing_as_of_is_said_plainly(new_warehouse: Callable[[], Warehouse]) -> None:
    result = invoke_dbt(new_warehouse().path, None, None, "run", ("--select", "int_state_days"))
    assert "as_of is missing" in failed_nodes(result)["int_state_days"]


def test_every_segment_with_a_delivery_is_counted_in_membership() -> None:
    membership = (PROJECT / "models/segments/membership.sql").read_text()
    entries = yaml.safe_load((PROJECT / "models/segments/_segments__models.yml").read_text())["models"]
    delivered = {entry["name"] for entry in entries if "delivery" in entry.get("config", {}).get("meta", {})}
    assert delivered == set(re.findall(r"'(\w+)': ref\('\1'\)", membership))
    assert delivered == {path.stem for path in MODELS if path.parent.name == "segments"} - {"membership", "segment_outcomes", "segment_uplift"}


def test_every_model_and_column_is_described() -> None:
    described = {}
    for path in (PROJECT / "models").rglob("*.yml"):
        for entry in yaml.safe_load(path.read_text()).get("models") or []:
            described[entry["name"]] = entry
    assert set(described) == {path.stem for path in MODELS}
    for name, entry in described.items():
        assert "Grain" in entry["description"], name
        assert all(column.get("description") for column in entry["columns"]), name


def test_models_are_short_and_keep_to_sql_that_both_engines_know() -> None:
    for path in MODELS:
        text = path.read_text()
        assert len(text.splitlines()) <= 70, path
        assert not re.search(r"\bgroup by all\b|\bexclude\b|\bfilter\s*\(|::|\bunnest\b|\border by all\b", text), path
        for order in re.findall(r"order by ([^)\n]*) desc\b(?! nulls last)", text):
            raise AssertionError(f"{path}: {order} desc without nulls last")


@pytest.mark.timeout(900)
def test_models_say_what_they_were_made_from(
    new_warehouse: Callable[[], Warehouse], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed run leaves: models up to loyalty_history bear the marks of the run, the others are still to be made."""
    world, warehouse = World(7), new_warehouse()
    warehouse.load(*world.batches)
    warehouse.con.execute("create table ops.built_models (schema_name varchar, model varchar, mark varchar)")
    asked = SimpleNamespace(query=lambda sql, values=(): warehouse.con.execute(sql, list(values)).fetchall())
    days = BuildDays(world.days[0], world.days[-1])
    state = build_state(asked, settings, STAGES["loyalty"], days, "")
    for name, value in state.environment().items():
        monkeypatch.setenv(name, value)
    run_dbt(warehouse.path, days.as_of, days.first_day, arguments=("--exclude", "loyalty_master+"))
    made = set(models_in_place(asked, state))
    assert {"stg_dw_a__user_profile", "int_user_totals_summed", "loyalty_history"} <= made
    assert not made & {"loyalty_master", "feature_adoption_by_region", "loyalty_unmatched_rows", "loyalty_history_daily"}

    other_days = build_state(asked, settings, STAGES["loyalty"], BuildDays(world.days[-1], world.days[-1]), "")
    lasting = set(models_in_place(asked, other_days))
    assert "stg_dw_a__user_profile" in lasting and not lasting & {"loyalty_history", "int_state_days"}
    assert models_in_place(asked, build_state(asked, settings, STAGES["loyalty"], days, "union")) == []

    warehouse.con.execute("drop table intermediate.int_support_calls_changed")
    assert "int_support_calls_changed" not in models_in_place(asked, state)
    for name in state.environment():
        monkeypatch.delenv(name)
    run_dbt(warehouse.path, days.as_of, days.first_day, arguments=("--select", "loyalty_history"))
    assert "loyalty_history" not in models_in_place(asked, state), "dbt by itself takes the mark away"

    warehouse.load(Batch("region_metadata", days.as_of, (), revision=9))
    assert set(models_in_place(asked, build_state(asked, settings, STAGES["loyalty"], days, ""))) == lasting, "another batch counts"

"""The weekly refresh with its science for real: same data, same tables and pictures, and every rule seen failing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from prefect.client.orchestration import get_client

from chaos.fingerprint import differences, fingerprint
from regulars.contracts import read_contracts
from regulars.postgres.server import stop_server
from regulars.quality.gates import run_gate
from regulars.quality.suites import list_suites
from regulars.run import Run
from regulars.settings import PROJECT_DIR, Settings
from regulars.stages import read_stages
from regulars.warehouse import open_warehouse
from tests.integration.shop.shop_breaks import BREAKS, Break
from tests.integration.shop.small_shop import AS_OF, SPEC, SmallShop

pytestmark = pytest.mark.timeout(900)
PROJECT = PROJECT_DIR / "dbt" / "warehouse"
CONTRACTS = read_contracts(PROJECT / "models" / "staging")
STAGE = read_stages(PROJECT, CONTRACTS)["insights"]
SUITES = {layer: [name for name in list_suites(layer) if name in {*STAGE.tables, *STAGE.shown_models}] for layer in ("raw", "marts")}  # fmt: skip


@pytest.fixture(scope="module")
def shop(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallShop]:
    """Two weeks of the small shop."""
    with pytest.MonkeyPatch.context() as patch:
        shop = SmallShop(tmp_path_factory.mktemp("shop") / "home", patch)
        shop.run_week(0)
        shop.run_week(1)
        yield shop
        stop_server(shop.home)


@pytest.fixture(scope="module")
def healthy(shop: SmallShop, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The warehouse after two weeks, with tables where it has views of files, so that they can be broken, and loads of earlier weeks."""
    home = tmp_path_factory.mktemp("healthy")
    settings = Settings(_env_file=None, home=home, pseudonym_key="test-key")
    shutil.copy(shop.home / "warehouse.duckdb", settings.warehouse_path)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for table in STAGE.tables:
            connection.execute(f"create table raw.kept as select * from raw.{table}")
            connection.execute(f"drop view raw.{table}")
            connection.execute(f"alter table raw.kept rename to {table}")
        for table in (
            "categories",
            "products",
        ):  # nothing of them changed in the second week: let all of it have changed
            batch = (
                f"(select batch_id from ops.effective_batches where table_name = '{table}' and as_of = date '{AS_OF}')"
            )
            connection.execute(f"delete from raw.{table} where _as_of = date '{AS_OF}'")
            connection.execute(
                f"insert into raw.{table} select * replace (date '{AS_OF}' as _as_of, {batch} as _batch_id) from raw.{table}"
            )
        connection.execute(f"""
            insert into ops.ingestion_logs by name
            select l.* replace (as_of - cast(7 * (i + 13) as integer) as as_of, batch_id || i as batch_id)
            from ops.ingestion_logs as l, range(3) as t(i)
            where as_of = date '{AS_OF}' and table_name in ('orders', 'order_items')""")
    return settings


def rows(shop: SmallShop, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(shop.home / "published.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def state(shop: SmallShop) -> dict[str, Any]:
    with open_warehouse(Settings(_env_file=None, home=shop.home, pseudonym_key="test-key")) as warehouse:
        return fingerprint(warehouse)


def pictures(shop: SmallShop) -> dict[str, bytes]:
    return {str(path.relative_to(shop.home)): path.read_bytes() for path in (shop.home / "charts").rglob("*.svg")}


def test_results_stand_for_the_newest_day_and_accuracy_of_earlier_ones_stays(shop: SmallShop) -> None:
    found = rows(
        shop, "select series, count(*), min(forecast_on) - min(as_of), min(as_of) from marts.sales_forecast group by 1"
    )
    assert {line[1:] for line in found} == {(28, 1, AS_OF)}
    assert [line[0].split()[0] for line in sorted(found)] == ["category", "category", "other", "total"]
    assert [day for (day,) in rows(shop, "select distinct as_of from marts.forecast_accuracy order by 1")] == list(
        SPEC.evenings[:2]
    )
    ((total, parts),) = rows(
        shop,
        "select (select sum(net_amount) from marts.daily_sales), sum(net_amount) from marts.product_category_sales",
    )
    assert total == parts
    ((customers, valued, alive),) = rows(
        shop,
        """
        select (select count(*) from marts.rfm_segments), count(*), avg(probability_alive) from marts.customer_lifetime_value""",
    )
    assert customers == valued > 100 and 0 < alive < 1
    assert {status for (status,) in rows(shop, "select status from marts.lifetime_value_models")} <= {
        "fitted",
        "at_limit",
    }
    flagged = rows(shop, "select unusual_rank, reason_1 from marts.unusual_customers order by 1")
    assert [rank for rank, _ in flagged] == list(range(1, -(-customers // 100) + 1)) and all(
        "usually" in reason for _, reason in flagged
    )
    trained = rows(shop, "select distinct trained_from, trained_to from marts.sales_forecast")
    assert trained == [(SPEC.start, AS_OF)]


def test_pictures_are_files_and_an_artifact(shop: SmallShop) -> None:
    drawn = {Path(name).stem for name in pictures(shop) if str(AS_OF) in name}
    assert drawn == {"sales-forecast", "category-shares", "cohort-retention", "rfm-segments", "findings"}
    with get_client(sync_client=True) as client:
        found = client.request(
            "POST", "/artifacts/latest/filter", json={"artifacts": {"key": {"any_": ["charts"]}}}
        ).json()
    assert found[0]["data"].count("data:image/svg+xml;base64,") == 5


def test_run_twice_everything_is_equal(shop: SmallShop) -> None:
    before, drawn = state(shop), pictures(shop)
    shop.run_week(1)
    assert differences(state(shop), before) == []
    assert pictures(shop) == drawn


def test_suites_are_those_of_the_stage(healthy: Settings) -> None:
    missing = {model for model in STAGE.shown_models if not model.startswith(("stg_", "int_"))} - set(SUITES["marts"])
    assert missing == set() and set(SUITES["raw"]) == set(STAGE.tables)


def test_a_healthy_shop_passes_every_rule_and_each_has_a_row_that_breaks_it(healthy: Settings) -> None:
    found = set()
    for layer, tables in SUITES.items():
        result = judge(healthy, layer, tables)
        assert [check.describe() for check in result.checks if check.status not in ("passed", "skipped")] == []
        found |= {(layer, check.table_name, check.check_name) for check in result.checks}
    broken = {(case.layer, case.table, rule) for case in BREAKS for rule in case.rules}
    assert found - broken == set(), "rules that nobody has seen fail: add a case to shop_breaks.py"


@pytest.mark.parametrize("case", BREAKS, ids=str)
def test_a_broken_rule_is_found(case: Break, healthy: Settings, tmp_path: Path) -> None:
    settings = healthy.model_copy(update={"home": tmp_path})
    shutil.copy(healthy.warehouse_path, settings.warehouse_path)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for statement in case.statements:
            connection.execute(statement)
    result = judge(settings, case.layer, [case.table])
    failed = {check.check_name: check for check in result.checks if check.status == "failed"}
    assert set(case.rules) <= set(failed), result.markdown()
    assert not [check.describe() for check in result.checks if check.status == "error"]
    assert all(check.observed_value and check.expected and check.facts["remedy"] for check in failed.values())


def test_without_science_the_last_results_stay_and_are_called_old(shop: SmallShop, healthy: Settings) -> None:
    before = rows(shop, "select * from marts.sales_forecast order by all")
    shop.run_week(2, science=False)
    assert rows(shop, "select * from marts.sales_forecast order by all") == before
    assert rows(shop, "select max(as_of) from marts.customer_360") == [(SPEC.evenings[2],)]
    old = rows(
        shop,
        f"""
        select table_name from ops.dq_check_logs
        where check_name = 'is_of_the_day' and status = 'failed' and severity = 'warn' and as_of = date '{SPEC.evenings[2]}' order by 1""",
    )
    assert [table for (table,) in old] == [
        "customer_lifetime_value", "forecast_status", "lifetime_value_models", "sales_forecast",
        "unusual_customer_features", "unusual_customers",
    ]  # fmt: skip


def judge(settings: Settings, layer: Any, tables: list[str]) -> Any:
    run = Run("run-1", "weekly-customer-analytics", AS_OF, datetime(2026, 1, 1))
    return run_gate(layer, tables, settings=settings, run=run, contracts=CONTRACTS)

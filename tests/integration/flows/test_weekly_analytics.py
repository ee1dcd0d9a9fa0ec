"""The weekly refresh on a small shop in a real PostgreSQL: faults are caught, a second run changes nothing, late data is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import get_client

from flows.sales import weekly_customer_analytics
from regulars.contracts import read_contracts
from regulars.errors import ConfigError, FindingsError
from regulars.postgres.server import start_server, stop_server
from regulars.quality.finding_rules import RULES
from regulars.sample.shop import ShopSpec, faults_until, load_evening
from regulars.sample.shop.load import TABLES
from regulars.settings import Settings
from regulars.stages import read_stages
from regulars.warehouse import open_warehouse
from regulars.warehouse.duckdb_publish import read_published

SHOP = ShopSpec(customers=60, products=24, orders_per_day=25, weeks=10, start=date(2025, 10, 6))
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def home(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which the history and the first week after it were run, and whose database holds the second week."""
    folder = tmp_path_factory.mktemp("weekly")
    document = {
        "connections": {"shop": {"kind": "postgres", "url": "embedded:shop", "options": {"one_snapshot": True}}},
        "tables": {table: {"from": "shop", "table": f"public.{table}"} for table in TABLES},
    }
    (folder / "sources.yml").write_text(yaml.safe_dump(document))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REGULARS_HOME", str(folder))
        environment.setenv("REGULARS_SOURCES", str(folder / "sources.yml"))
        environment.setenv("REGULARS_PSEUDONYM_KEY", "test-key")
        server = start_server(folder)
        for evening in SHOP.evenings[:2]:
            load_evening(SHOP, evening, server.uri())
            run(evening, since=SHOP.start if evening == SHOP.evenings[0] else None)
        load_evening(SHOP, SHOP.evenings[2], server.uri())
        yield folder
        stop_server(folder)


def run(evening: date, **parameters: Any) -> Any:
    return weekly_customer_analytics(evening, **parameters)


def opened(home: Path) -> Any:
    return open_warehouse(Settings(_env_file=None, home=home, pseudonym_key="test-key"))


def marts(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every published mart of the shop, sorted."""
    settings = Settings(_env_file=None, home=home)
    stages = read_stages(settings.dbt_project_dir, read_contracts(settings.dbt_project_dir / "models" / "staging"))
    names = [name for name in stages["insights"].shown_models if not name.startswith(("stg_", "int_"))]
    with read_published(home / "published.duckdb") as reader:
        return {name: reader.query(f"select * from marts.{name} order by all") for name in names}


def test_a_run_told_to_stop_publishes_nothing_and_the_next_one_catches_everything(home: Path) -> None:
    before = (home / "published.duckdb").read_bytes()
    with pytest.raises(ConfigError, match="no rule nonsense"):
        run(SHOP.evenings[2], fail_on_findings=["nonsense"])
    with pytest.raises(FindingsError, match="daily_total") as caught:
        run(SHOP.evenings[2], fail_on_findings=["daily_total"])
    assert "What to do" in str(caught.value)
    assert (home / "published.duckdb").read_bytes() == before

    run(SHOP.evenings[2])
    with read_published(home / "published.duckdb") as reader:
        days = reader.query(
            "select as_of, count(*) from ops.ingestion_logs where table_name = 'orders' group by 1 order by 1"
        )
        assert days == [(SHOP.evenings[0] + timedelta(days=n), 1) for n in range(15)], (
            "each day of the two weeks is a batch"
        )
        found = reader.query(
            "select rule, rows_found from ops.findings where as_of = (select max(as_of) from ops.findings)"
        )
        assert {rule for rule, _ in found} == set(RULES)
    first = marts(home)
    assert all(first[name] for name in ("fact_orders", "daily_sales", "anomalies", "rfm_segments", "customer_cohorts"))
    run(SHOP.evenings[2])
    assert marts(home) == first
    run(SHOP.evenings[2], rebuild=True)
    assert marts(home) == first, "built from the first day on"

    with opened(home) as warehouse:
        missed = [
            fault.description
            for fault in faults_until(SHOP, SHOP.evenings[2])
            if warehouse.query(fault.query) != [(True,)]
        ]
    assert missed == []


def test_rows_held_by_a_finding_come_back_by_replay(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from flows.commands.quarantine import add_rows, replay_rows

    lines = "select count(*), count(case when order_id = 'F-PRODUCT' then 1 end) from marts.fact_order_items"
    waiting = (
        'select as_of, count(*) from ops.effective_batches as e inner join quarantine."ROWS" as q using (batch_id, as_of) '
        "where q.rule = 'finding:unknown_product' and q.replayed_at is null group by as_of"
    )
    before, bad = (
        marts(home),
        "select sum(rows_quarantined) from ops.effective_batches inner join ops.ingestion_logs using (batch_id)",
    )
    with pytest.raises(ConfigError, match="one of:"):
        add_rows(rule="daily_total")
    add_rows(rule="unknown_product")
    assert "rows of order_items" in capsys.readouterr().out
    add_rows(rule="unknown_product")
    assert "found no rows" in capsys.readouterr().out, "they are held already"
    run(SHOP.evenings[2])
    with opened(home) as warehouse:
        ((rows, held),) = warehouse.query(lines)
        assert held == 0 and rows == len(before["fact_order_items"]) - 1
        days = warehouse.query(waiting)
        assert days and warehouse.query(bad)
    for day, _ in days:
        replay_rows(table="order_items", as_of=datetime.combine(day, time()))
    assert "came back" in capsys.readouterr().out
    run(SHOP.evenings[2])
    after = marts(home)
    for name in ("fact_order_items", "fact_orders", "daily_sales", "anomalies"):
        assert after[name] == before[name], name


def test_findings_are_one_document_with_sql_that_runs(home: Path) -> None:
    document = json.loads((home / "findings" / f"{SHOP.evenings[1]}.json").read_text())
    by_rule = {one["rule"]: one for one in document["findings"]}
    assert set(by_rule) == set(RULES)
    assert document["rows_found"] == sum(one["rows_found"] for one in document["findings"])
    assert by_rule["total_mismatch"]["sample_keys"].startswith("F-TYPED line 1")
    assert by_rule["load"]["status"] == "too little history" and by_rule["load"]["rows_not_judged"] > 0
    with read_published(home / "published.duckdb") as reader:
        corrected = {rule: reader.query(one["sql"]) for rule, one in by_rule.items() if one["sql"]}
    assert set(corrected) == set(RULES)
    assert ("F-TYPED", "1", 60000, 6) in corrected["total_mismatch"]
    assert any(row[0] == "F-BULK" and row[2] == 900 and row[3] < 900 for row in corrected["quantity_iqr"]), "clamped"


def test_late_data_is_an_event(home: Path) -> None:
    late = SHOP.evenings[1] + timedelta(days=40)
    from tasks.context import open_context
    from tasks.freshness import record_freshness
    from tasks.writing import writing

    context = open_context("transform", late, stage="sales")
    with writing(context):
        found = record_freshness.fn(context)
    assert {one.table_name for one in found if one.is_late} == set(TABLES)
    names: set[str] = set()
    with get_client(sync_client=True) as client:
        for _ in range(50):
            answer = client._client.post(
                "/events/filter", json={"filter": {"event": {"name": ["regulars.data.late"]}}, "limit": 50}
            ).json()
            names = {event["resource"]["prefect.resource.id"] for event in answer["events"]}
            if len(names) == len(TABLES):
                break
            __import__("time").sleep(0.2)
    assert names == {f"regulars.table.{table}" for table in TABLES}

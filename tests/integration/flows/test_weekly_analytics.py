"""The weekly refresh on a small shop in a real PostgreSQL: faults are caught, a second run changes nothing, late data is told."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from prefect.client.orchestration import get_client

from flows.sales import weekly_customer_analytics
from regulars.contracts import read_contracts
from regulars.errors import ConfigError, FindingsError
from regulars.postgres.server import start_server, stop_server
from regulars.quality.finding_rules import RULES
from regulars.sample.shop import faults_until, load_evening
from regulars.sample.shop.load import TABLES
from regulars.settings import PROJECT_DIR, Settings
from regulars.stages import read_stages
from regulars.warehouse import open_warehouse
from regulars.warehouse.duckdb_publish import read_published
from tests.integration.flows.shop_breaks import BREAKS, Break
from tests.integration.flows.shop_suites import STAGE, SUITES, breakable_copy, judge
from tests.integration.flows.small_shop import AS_OF, SHOP, enter

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def home(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which the history and the first week after it were run, and whose database holds the second week."""
    folder = tmp_path_factory.mktemp("weekly")
    with pytest.MonkeyPatch.context() as environment:
        enter(folder, environment)
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


def pictures(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in (home / "charts").rglob("*.svg")}


def findings(home: Path) -> dict[str, Any]:
    """What the file of each day says, but for the run that wrote it."""
    return {path.name: json.loads(path.read_text()) | {"run_id": ""} for path in (home / "findings").glob("*.json")}


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
    drawn = pictures(home)
    run(SHOP.evenings[2], rebuild=True)
    assert marts(home) == first, "built from the first day on"
    assert pictures(home) == drawn and drawn

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
    told = findings(home), pictures(home)
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
    run(SHOP.evenings[1])  # marts stand for the newest day all the same, and so do what is found and drawn
    assert (findings(home), pictures(home)) == told
    after = marts(home)
    for name in ("fact_order_items", "fact_orders", "daily_sales", "anomalies"):
        assert after[name] == before[name], name


def test_results_stand_for_the_newest_day_and_accuracy_of_earlier_ones_stays(home: Path) -> None:
    with read_published(home / "published.duckdb") as reader:
        found = reader.query(
            "select series, count(*), min(forecast_on) - min(as_of), min(as_of) from marts.sales_forecast group by 1 order by 1"
        )
        assert [line[0].split()[0] for line in found] == ["category", "category", "other", "total"]
        assert {line[1:] for line in found} == {(28, 1, AS_OF)}
        assert reader.query("select distinct trained_from, trained_to from marts.sales_forecast") == [
            (SHOP.start, AS_OF)
        ]
        kept = reader.query("select distinct as_of from marts.forecast_accuracy order by 1")
        assert [day for (day,) in kept] == list(SHOP.evenings), "77 days and more: the first evening had 70"
        ((buyers, valued, alive),) = reader.query(
            "select (select count(*) from marts.rfm_segments), count(*), avg(probability_alive) from marts.customer_lifetime_value"
        )
        assert buyers == valued > 100 and 0 < alive < 1
        flagged = reader.query("select unusual_rank, reason_1 from marts.unusual_customers order by 1")
        assert [rank for rank, _ in flagged] == list(range(1, -(-buyers // 100) + 1))
        assert all("usually" in reason for _, reason in flagged)


def test_pictures_are_files_and_an_artifact(home: Path) -> None:
    drawn = {Path(name).stem for name in pictures(home) if str(AS_OF) in name}
    assert drawn == {"sales-forecast", "category-shares", "cohort-retention", "rfm-segments", "findings"}
    with get_client(sync_client=True) as client:
        found = client._client.post(
            "/artifacts/latest/filter", json={"artifacts": {"key": {"any_": ["charts"]}}}
        ).json()
    assert found[0]["data"].count("data:image/svg+xml;base64,") == 5


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


@pytest.fixture(scope="module")
def healthy(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return breakable_copy(home, tmp_path_factory.mktemp("healthy"))


def test_every_table_of_the_shop_has_a_suite() -> None:
    assert SUITES["raw"] == sorted(STAGE.tables)
    assert SUITES["marts"] == sorted(name for name in STAGE.shown_models if not name.startswith(("stg_", "int_")))


def test_a_healthy_shop_passes_every_rule_and_each_has_a_row_that_breaks_it(healthy: Settings) -> None:
    checks = [check for layer, tables in SUITES.items() for check in judge(healthy, layer, tables).checks]
    # A planted total of 60,000 lets frequency and value correlate, which the model of spend rules out.
    assert {check.check_name for check in checks if check.status not in ("passed", "skipped")} == {"models_fitted"}
    found = {(check.layer, check.table_name, check.check_name) for check in checks}
    broken = {(case.layer, case.table, rule) for case in BREAKS for rule in case.rules}
    assert found ^ broken == set(), "rules that nobody has seen fail, or cases for rules that do not exist"


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


def test_other_parameters_reach_the_marts_unless_science_is_left_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = marts(home)
    monkeypatch.setenv("REGULARS_SCIENCE__HORIZON_DAYS", "7")
    run(AS_OF, science=False)
    assert marts(home) == before
    run(AS_OF)
    with read_published(home / "published.duckdb") as reader:
        assert reader.query("select distinct forecast_on - as_of from marts.sales_forecast order by 1") == [
            (n,) for n in range(1, 8)
        ]


REPORTS = PROJECT_DIR / "docs" / "reports"


def test_every_report_answers(home: Path) -> None:
    others = ("segments.", "marts.customer_engagement")  # made by other flows, whose tests ask them
    texts = {path.stem: path.read_text() for path in sorted(REPORTS.glob("*.sql"))}
    texts = {name: text for name, text in texts.items() if not any(other in text for other in others)}
    assert len(texts) >= 8
    with read_published(home / "published.duckdb") as reader:
        found = {name: reader.table(text) for name, text in texts.items()}
        rows = {name: [dict(zip(names, row, strict=True)) for row in listed] for name, (names, listed) in found.items()}
        assert [name for name in rows if not rows[name]] == ["late_orders"], "the sample's parcels are in time"
        newest, before = rows["weekly_sales"][:2]
        assert newest["growth_pct"] == round(100 * (newest["net_amount"] / before["net_amount"] - 1), 1)
        ((total,),) = reader.query("select sum(net_amount) from marts.daily_sales")
        assert sum(row["net_amount"] for row in rows["weekly_sales"]) == total
        amounts = {(row["month_starts_on"], row["category_id"]): row for row in rows["category_growth"]}
        grown = [row for row in amounts.values() if row["growth_on_month_pct"] is not None]
        assert grown
        for row in grown:
            earlier = (row["month_starts_on"] - timedelta(days=1)).replace(day=1)
            ratio = row["net_amount"] / amounts[earlier, row["category_id"]]["net_amount"]
            assert float(row["growth_on_month_pct"]) == pytest.approx(100 * float(ratio - 1), abs=0.051)
        ((customers,),) = reader.query("select count(*) from marts.rfm_segments")
        assert sum(row["customers"] for row in rows["rfm_segments"]) == customers
        at_risk = reader.query(
            """select count(*), sum(net_amount) from marts.customer_360
               where rfm_segment in ('cannot lose', 'at risk') and not is_deleted"""
        )
        assert [(row["customers_at_risk"], row["net_amount_at_risk"]) for row in rows["revenue_at_risk"][:1]] == at_risk
        retained = {row["cohort_month"]: row["after_1_month"] for row in rows["cohort_retention"]}
        first = "select retention from marts.customer_cohorts where months_since = 1 and cohort_month = ?"
        assert [(retained[SHOP.start.replace(day=1)],)] == reader.query(first, [SHOP.start.replace(day=1)])
    for name, text in texts.items():
        assert text.startswith("-- ") and "?" in text.splitlines()[0], f"{name} says first what it answers"


def test_late_orders_are_found(home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "published.duckdb"
    shutil.copyfile(home / "published.duckdb", copy)
    early = "delivered_at is not null and status = 'delivered' and not is_deleted"
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            f"update marts.fact_orders set promised_at = delivered_at - interval 2 day where order_id like '%7' and {early}"
        )
        connection.execute(
            f"update marts.fact_orders set delivered_at = null, status = 'shipped' where order_id like '%13' and {early}"
        )
        connection.execute("update marts.fact_orders set status = 'cancelled' where order_id like '%113'")
        ((overdue, late),) = connection.execute(
            """select count(*) filter (order_id like '%13' and order_id not like '%113' and delivered_at is null
                   and promised_at::date < (select max(ordered_on) from marts.daily_sales)),
                   count(*) filter (order_id like '%7' and status = 'delivered' and delivered_at is not null and not is_deleted)
               from marts.fact_orders"""
        ).fetchall()
    with read_published(copy) as reader:
        names, listed = reader.table((REPORTS / "late_orders.sql").read_text())
    rows = [dict(zip(names, row, strict=True)) for row in listed]
    assert (sum(row["status"] == "shipped" for row in rows), sum(row["order_id"].endswith("7") for row in rows)) == (
        overdue,
        late,
    )
    assert overdue > 0 and late > 10 and all(row["days_late"] == 2 for row in rows if row["order_id"].endswith("7"))


def test_the_notebook_runs_from_top_to_bottom(home: Path, tmp_path: Path) -> None:
    notebook = REPORTS / "weekly_review.ipynb"
    stored = json.loads(notebook.read_text())
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in stored["cells"]), (
        "outputs are data"
    )
    command = [Path(sys.executable).with_name("jupyter"), "execute", notebook, f"--output={tmp_path / 'run.ipynb'}"]
    environment = {**os.environ, "REGULARS_HOME": str(home), "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    cells = [cell for cell in json.loads((tmp_path / "run.ipynb").read_text())["cells"] if cell["cell_type"] == "code"]
    shown = [output["data"] for cell in cells for output in cell["outputs"] if "data" in output]
    pages = ["".join(data["text/html"]) for data in shown if "text/html" in data]
    assert len(pages) >= 8 and sum("image/png" in data for data in shown) == 1
    assert "K0000" in pages[2], "customers of this shop"

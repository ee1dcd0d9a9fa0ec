"""The flow of a shared sheet, whole: every planted fault is caught, a second run moves nothing, and what stops it leaves readers alone."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import get_client

from flows.engagement import customer_engagement
from regulars.errors import ConfigError, ContractError, GateBlocked
from regulars.postgres.mapping_review import reject
from regulars.postgres.server import stop_server
from regulars.postgres.store import open_store
from regulars.sample.engagement import SHEET_NAME, EngagementSpec, decisions_before, faults_until, write_sheet
from regulars.sample.engagement.rows import HEADER
from regulars.settings import PROJECT_DIR, Settings
from regulars.warehouse import open_warehouse
from regulars.warehouse.duckdb_publish import read_published
from tasks.seeds import seed_projects

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]
SPEC = EngagementSpec(clients=30, months=14)
FIRST, SECOND, THIRD = SPEC.evenings
REVIEW = "review.csv"
MARTS = (
    "customer_engagement_monthly",
    "customer_engagement_summary",
    "engagement_unmatched",
    "engagement_unmatched_rows",
)


def enter(home: Path, environment: pytest.MonkeyPatch) -> Settings:
    """Make `home` the current one, with its own sheet, store and warehouse."""
    local = yaml.safe_load((PROJECT_DIR / "deployments" / "local" / "sources.yml").read_text())
    tables = {name: entry for name, entry in local["tables"].items() if name in ("customer_engagement", "dim_project")}
    home.mkdir(parents=True, exist_ok=True)
    document = {**local, "tables": tables, "review": {"from": "operations", "path": REVIEW}}
    (home / "sources.yml").write_text(yaml.safe_dump(document))
    given = {"REGULARS_HOME": home, "REGULARS_SOURCES": home / "sources.yml", "REGULARS_PSEUDONYM_KEY": "test-key"}
    for name, value in given.items():
        environment.setenv(name, str(value))
    return Settings(_env_file=None, home=home, pseudonym_key="test-key")


@pytest.fixture(scope="module")
def home(prefect_server: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home in which the three evenings were run, with the decisions between them."""
    folder = tmp_path_factory.mktemp("engagement")
    with pytest.MonkeyPatch.context() as environment:
        settings = enter(folder, environment)
        seed_projects(settings)
        for evening in SPEC.evenings:
            write_sheet(SPEC, evening, folder / "sheets")
            decide(settings, evening)
            customer_engagement(evening)
        yield folder
        stop_server(folder)


def settings_of(home: Path) -> Settings:
    return Settings(_env_file=None, home=home, pseudonym_key="test-key")


def decide(settings: Settings, evening: date) -> None:
    """Approve in the file for review, which every later run reads again, and reject by command."""
    decisions = decisions_before(SPEC, evening)
    approved = [[one.column, one.raw, "approved", one.meaning, one.meaning] for one in decisions if one.meaning]
    if approved:
        with open(settings.home_dir / "sheets" / REVIEW, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["column", "raw", "status", "canonical", "number"], *approved])
    with open_store(settings) as store:
        for one in decisions:
            if one.meaning is None:
                reject(store, one.column, one.raw, by="test", at=datetime.now(UTC))


def marts(home: Path) -> dict[str, list[tuple[Any, ...]]]:
    with read_published(home / "published.duckdb") as reader:
        return {name: reader.query(f"select * from marts.{name} order by all") for name in MARTS}


def asked(home: Path, query: str) -> list[tuple[Any, ...]]:
    with open_warehouse(settings_of(home)) as warehouse:
        return warehouse.query(query)


def test_every_planted_fault_is_caught(home: Path) -> None:
    faults = faults_until(SPEC, THIRD)
    with open_store(settings_of(home)) as store, open_warehouse(settings_of(home)) as warehouse:
        places = {"warehouse": warehouse.query, "store": lambda query: store.execute(query.encode()).fetchall()}
        missed = [fault.id for fault in faults if places[fault.place](fault.query) != [(True,)]]
    assert missed == []
    assert len(faults) >= 24 and len({fault.kind for fault in faults}) >= 12


def test_every_row_is_counted_in_one_ledger(home: Path) -> None:
    rows = asked(
        home,
        "select status, rows_read, rows_loaded, rows_quarantined, rows_duplicate, rows_filtered from ops.ingestion_logs "
        f"where as_of = date '{FIRST}' and table_name in ('client_engagement_metrics', 'stg_customer_engagement', 'customer_engagement') "
        "order by started_at",
    )  # fmt: skip
    assert [row[0] for row in rows] == ["taken in", "staged", "loaded"]
    assert all(read == sum(parts) for _, read, *parts in rows)
    (taken, staged, landed) = rows
    assert (taken[2], staged[2]) == (staged[1], landed[1]) and staged[3] > 0 and taken[5] == 1
    assert asked(
        home, "select count(*) > 0 from ops.effective_batches where table_name = 'client_engagement_metrics'"
    ) == [(False,)]


def test_checks_of_sheet_and_summary_are_recorded_and_shown(home: Path) -> None:
    found = asked(
        home, "select distinct layer, kind from ops.dq_check_logs where table_name <> '' or kind = 'dbt' order by 1, 2"
    )
    assert {("sheets", "gate"), ("sheets", "dbt"), ("raw", "gate"), ("marts", "gate"), ("marts", "dbt")} <= set(found)
    assert asked(home, "select count(*) from ops.dq_check_logs where status = 'error'") == [(0,)]
    assert asked(
        home, "select count(*) from ops.dq_check_logs where layer = 'sheets' and check_name = 'places_told_apart'"
    ) == [(3,)]
    index = (home / "data_docs" / "index.html").read_text()
    assert "client_engagement_metrics" in index and "customer_engagement_summary" in index
    with get_client(sync_client=True) as client:
        artifacts = {artifact.key: artifact.data for artifact in client.read_latest_artifacts()}
    assert {"customer-engagement-way", "checks-sheets", "checks-engagement", "customer-engagement"} <= set(artifacts)
    assert "| superseded by a row further down | 2 |" in str(artifacts["customer-engagement-way"])
    assert "wait for a decision: `regulars mappings export --to-review --waiting`" in str(
        artifacts["customer-engagement-way"]
    )
    assert "unknown_project" in str(artifacts["customer-engagement-way"])


def test_the_report_answers(home: Path) -> None:
    text = (PROJECT_DIR / "docs" / "reports" / "client_engagement.sql").read_text()
    with read_published(home / "published.duckdb") as reader:
        rows = reader.query(text)
        ((lapsed,),) = reader.query("select count(*) from marts.customer_engagement_summary where is_lapsed")
    assert sum("lapsed" in row for row in rows) == lapsed > 0


def test_subflows_are_seen_as_such(home: Path) -> None:
    with get_client(sync_client=True) as client:
        names = {flow.name for flow in client.read_flows()}
    assert {f"customer-engagement-{part}" for part in ("ingest", "transform", "transfer", "join")} <= names


def test_a_second_run_and_a_rebuild_change_nothing(home: Path) -> None:
    before = marts(home)
    landings = sorted(str(path) for path in (home / "landing").rglob("manifest.json"))
    again = customer_engagement(THIRD)
    assert again.staged and again.staged.waiting > 0
    assert marts(home) == before
    assert sorted(str(path) for path in (home / "landing").rglob("manifest.json")) == landings
    customer_engagement(THIRD, rebuild=True)
    assert marts(home) == before


def test_a_day_that_is_past_leaves_the_store_alone(home: Path) -> None:
    before = marts(home)
    past = customer_engagement(FIRST)
    assert past.staged is None and marts(home) == before
    for day, refresh in ((FIRST - timedelta(days=1), False), (FIRST, True)):
        with pytest.raises(ConfigError, match=f"{day} cannot be read any more: {THIRD} is landed already"):
            customer_engagement(day, refresh=refresh)
    assert marts(home) == before


def test_what_stops_it_leaves_readers_alone(home: Path) -> None:
    """A piece of the sheet is blocked by the gate, another column by the contract; the store keeps what it staged."""
    sheet, before = home / "sheets" / SHEET_NAME, marts(home)
    whole = sheet.read_text()
    with open_store(settings_of(home)) as store:
        staged = store.execute("select count(*) from staging.stg_customer_engagement").fetchone()
        try:
            lines = whole.splitlines(keepends=True)
            sheet.write_text("".join(lines[: len(lines) // 3]))
            with pytest.raises(GateBlocked, match="rows_as_before"):
                customer_engagement(THIRD + timedelta(days=1))
            sheet.write_text(whole.replace(HEADER["session_count"], "Sesions", 1))
            with pytest.raises(ContractError, match=r"session_count: Sessions \(nearest: Sesions\)"):
                customer_engagement(THIRD + timedelta(days=1))
        finally:
            sheet.write_text(whole)
        assert store.execute("select count(*) from staging.stg_customer_engagement").fetchone() == staged
    assert marts(home) == before
    customer_engagement(THIRD)
    assert marts(home) == before


def test_killed_anywhere_and_run_again_it_ends_in_the_same_tables(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = enter(tmp_path / "killed", monkeypatch)
    seed_projects(settings)
    try:
        write_sheet(SPEC, FIRST, settings.home_dir / "sheets")
        log = settings.home_dir / "logs" / "ingestion.log"
        for stage in ('"take in"', '"stage"', '"land"'):
            _kill_after(stage, log)
        customer_engagement(FIRST)
        for evening in (SECOND, THIRD):
            write_sheet(SPEC, evening, settings.home_dir / "sheets")
            decide(settings, evening)
            customer_engagement(evening)
        assert marts(settings.home_dir) == marts(home)
    finally:
        stop_server(settings.home_dir)


def _kill_after(stage: str, log: Path) -> None:
    """Run the flow in a process of its own, and kill that when the log says that a stage has ended once more."""
    known = log.read_text().count(stage) if log.exists() else 0
    command = [Path(sys.executable).with_name("regulars"), "run", "customer-engagement", "--as-of", str(FIRST)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ, start_new_session=True
    ) as child:
        until = time.monotonic() + 120
        while (log.read_text().count(stage) if log.exists() else 0) <= known:
            assert child.poll() is None and time.monotonic() < until, f"it ended before {stage}"
            time.sleep(0.02)
        os.killpg(child.pid, signal.SIGKILL)

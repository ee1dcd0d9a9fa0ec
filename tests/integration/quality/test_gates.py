"""How gates behave: what is skipped, what blocks, what is shown, and that nothing personal or remote is."""

from __future__ import annotations

import logging
import re
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from small_warehouse import CANARIES, CONTRACTS, DAY, RUN

from regulars.errors import ConfigError, GateBlocked
from regulars.ledger import OPS_TABLES
from regulars.quality.data_docs import DataDocs
from regulars.quality.gates import run_gate
from regulars.settings import Settings
from regulars.warehouse.duckdb import DuckDBWarehouse


def change(settings: Settings, *statements: str) -> None:
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_blocked_gate_names_rule_rows_keys_and_remedy(settings: Settings) -> None:
    change(
        settings,
        (
            "update raw.region_thresholds set low_engagement_score = 90 where region_code in ('R3', 'R5') "
            "and _as_of = date '2026-01-09'"
        ),
    )
    result = run_gate("raw", ["region_thresholds"], settings=settings, run=RUN, contracts=CONTRACTS)
    (check,) = result.blocked
    assert (check.unexpected_count, check.rows_checked, check.facts["samples"]) == (2, 8, ["R3", "R5"])
    with pytest.raises(
        GateBlocked, match=r"raw\.region_thresholds: low_under_high: .* 2 rows, for example R3; R5"
    ) as caught:
        result.raise_if_blocked()
    assert "ask sales-operations" in caught.value.remedy
    result.raise_if_blocked(fail_on_block=False)
    assert [check.check_name for check in result.warned] == ["thresholds_apart", "thresholds_steady"]


def test_rows_fit_the_record_of_checks(settings: Settings) -> None:
    result = run_gate("marts", ["membership"], settings=settings, run=RUN, contracts=CONTRACTS)
    with DuckDBWarehouse(settings) as warehouse:
        warehouse.record("dq_check_logs", result.rows())
        assert warehouse.query("select count(*), count(distinct check_name) from ops.dq_check_logs") == [
            (len(result.checks),) * 2
        ]
    assert set(result.rows()[0]) == {name for name, _ in OPS_TABLES["dq_check_logs"]}


def test_a_table_without_a_batch_of_the_day_is_skipped(settings: Settings) -> None:
    change(settings, "delete from ops.ingestion_logs where table_name = 'support_chats' and as_of = date '2026-01-09'")
    change(settings, "delete from ops.ingestion_logs where table_name = 'support_calls'")
    result = run_gate(
        "raw", ["support_chats", "support_calls", "no_such_table"], settings=settings, run=RUN, contracts=CONTRACTS
    )
    assert [(check.table_name, check.status, check.facts["reason"]) for check in result.checks] == [
        ("support_chats", "skipped", "no batch of 2026-01-09: the newest is of 2026-01-08"),
        ("support_calls", "skipped", "no batch of 2026-01-09: none has ever landed"),
    ]
    assert not result.blocked


def test_of_an_empty_batch_only_rules_about_emptiness_speak(settings: Settings) -> None:
    change(settings, "delete from raw.user_activity where _as_of = date '2026-01-09'")
    result = run_gate("raw", ["user_activity"], settings=settings, run=RUN, contracts=CONTRACTS)
    by_status = {
        status: {check.check_name for check in result.checks if check.status == status}
        for status in ("failed", "skipped", "passed")
    }
    assert by_status["failed"] == {"row_count"}
    assert by_status["passed"] == {"quarantine_share", "quarantine_share_watch"}
    assert "purchase_has_amount" in by_status["skipped"]


def test_superseded_batches_are_not_looked_at(settings: Settings) -> None:
    change(
        settings,
        (
            "insert into raw.region_thresholds select * replace (90 as low_engagement_score, 'old' as "
            "_batch_id) from raw.region_thresholds where _as_of = date '2026-01-09'"
        ),
        (
            "update ops.ingestion_logs set revision = 2 where table_name = 'region_thresholds' and as_of = "
            "date '2026-01-09'"
        ),
        "insert into ops.ingestion_logs "
        "(table_name, as_of, revision, batch_id, status, scope, rows_read, rows_loaded, rows_quarantined) "
        "values ('region_thresholds', date '2026-01-09', 1, 'old', 'loaded', 'full', 8, 8, 0)",
    )
    result = run_gate("raw", ["region_thresholds"], settings=settings, run=RUN, contracts=CONTRACTS)
    assert not result.blocked and not result.warned
    assert result.checks[0].rows_checked == 8


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("drop table marts.loyalty_master", "suite"),
        ("alter table marts.loyalty_master drop column engagement_band", "band_agrees"),
        ("alter table marts.loyalty_master rename purchase_amount_7d to x", "windows_nested"),
    ],
)
def test_what_cannot_be_computed_blocks(settings: Settings, statement: str, rule: str) -> None:
    change(settings, statement)
    result = run_gate(
        "marts", ["loyalty_master", "feature_adoption_by_region"], settings=settings, run=RUN, contracts=CONTRACTS
    )
    errors = {check.check_name: check for check in result.blocked if check.status == "error"}
    assert rule in errors and all(check.table_name == "loyalty_master" for check in errors.values())
    assert all(
        check.facts["error"] and "expectations/marts/loyalty_master.py" in check.facts["remedy"]
        for check in errors.values()
    )
    assert {check.status for check in result.checks if check.table_name == "feature_adoption_by_region"} == {"passed"}
    with pytest.raises(GateBlocked, match="The check itself failed"):
        result.raise_if_blocked()


def test_a_metric_that_raises_is_an_error_of_its_rule(settings: Settings) -> None:
    change(settings, "drop table marts.loyalty_history")
    result = run_gate("marts", ["loyalty_master"], settings=settings, run=RUN, contracts=CONTRACTS)
    status = {check.check_name: check.status for check in result.checks}
    assert status["rows_equal_history"] == "error" and status["one_row_per_user"] == "passed"
    assert [check.check_name for check in result.blocked] == ["rows_equal_history"]


def test_no_personal_value_reaches_results_docs_or_logs(
    settings: Settings, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    change(
        settings,
        (
            "update raw.user_profile set email_hash = null, region_code = 'nowhere', tier = 'gold' where "
            "_as_of = date '2026-01-09'"
        ),
        "update raw.user_activity set purchase_amount = null, feedback_rating = 1 where _as_of = date '2026-01-09'",
        "insert into raw.user_profile select * from raw.user_profile where _as_of = date '2026-01-09'",
        "alter table raw.retention_action drop column outcome",
    )
    caplog.set_level(logging.DEBUG)
    with DataDocs(settings) as docs:
        result = run_gate(
            "raw",
            ["user_profile", "user_activity", "retention_action"],
            settings=settings,
            run=RUN,
            contracts=CONTRACTS,
            docs=docs,
        )
    assert len(result.blocked) + len(result.warned) >= 6
    with pytest.raises(GateBlocked) as caught:
        result.raise_if_blocked()
    written = [path.read_text(errors="replace") for path in docs.folder.rglob("*") if path.is_file()]
    seen = "\n".join([*written, repr(result), result.markdown(), str(caught.value), caplog.text, *capfd.readouterr()])
    assert "u0000001" in seen
    for canary in CANARIES.values():
        assert canary not in seen


def test_docs_show_failed_rules_of_the_last_runs_without_a_network(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("something reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    change(settings, "update segments.membership set left_on = entered_on where user_id = 'u0000001'")
    for number in range(4):
        run = replace(RUN, run_id=f"run-{number}", started_at=datetime(2026, 1, 10 + number))
        with DataDocs(settings, runs_shown=3) as docs:
            for layer, table in (("raw", "region_metadata"), ("marts", "membership")):
                run_gate(layer, [table], settings=settings, run=run, contracts=CONTRACTS, docs=docs)  # type: ignore[arg-type]
    index = (docs.folder / "index.html").read_text()
    assert re.findall(r"run (run-\d)", index) == ["run-3", "run-2", "run-1"]
    assert "<b>stays_forward</b> (block) A member leaves after entering." in index
    assert "u0000001" in index and 'class="mark blocked"' in index
    pages = sorted(path.relative_to(docs.folder).as_posix() for path in docs.folder.rglob("2026-*.html"))
    assert len(pages) == 6 and not any("run-0" in page for page in pages)
    assert sorted(re.findall(r'href="(validations[^"]*)"', index)) == pages
    for page in [docs.folder / "index.html", *(docs.folder / name for name in pages)]:
        text = page.read_text()
        assert not re.search(r"(?:src|href)=\"https?:|<script|url\(", text), page
        for link in re.findall(r'href="([^"#]+)"', text):
            assert (page.parent / link).exists(), (page, link)
    assert "stays_forward: A member leaves after entering." in (docs.folder / pages[0]).read_text()


def test_docs_keep_the_days_of_one_run_apart(settings: Settings) -> None:
    with DataDocs(settings) as docs:
        for day in (DAY, DAY - timedelta(days=1)):
            run = replace(RUN, as_of=day)
            run_gate("raw", ["region_metadata"], settings=settings, run=run, contracts=CONTRACTS, docs=docs)
    with DataDocs(settings) as docs:
        run_gate("marts", ["membership"], settings=settings, run=RUN, contracts=CONTRACTS, docs=docs)
    index = (docs.folder / "index.html").read_text()
    assert re.findall(r"<h2>Day (\S+)", index) == ["2026-01-09", "2026-01-08"]
    links = re.findall(r'href="(validations[^"]*)"', index)
    assert len(links) == len(set(links)) == 3 and all((docs.folder / link).exists() for link in links)


def test_docs_are_built_when_a_gate_blocks(settings: Settings) -> None:
    change(settings, "update segments.membership set left_on = entered_on")
    with pytest.raises(GateBlocked), DataDocs(settings) as docs:
        run_gate("marts", ["membership"], settings=settings, run=RUN, contracts=CONTRACTS, docs=docs).raise_if_blocked()
    assert "stays_forward" in (docs.folder / "index.html").read_text()


def test_gates_share_the_file_with_an_open_warehouse_and_each_other(settings: Settings) -> None:
    results = {}
    suites = {
        "raw": ["engagement_score", "feature_adoption"],
        "marts": ["feature_adoption_by_region", "loyalty_history"],
    }

    def gate(layer: str) -> None:
        results[layer] = run_gate(layer, suites[layer], settings=settings, run=RUN, contracts=CONTRACTS)  # type: ignore[arg-type]

    with DuckDBWarehouse(settings) as warehouse:
        threads = [threading.Thread(target=gate, args=(layer,)) for layer in ("raw", "marts")]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            warehouse.query("select count(*) from raw.user_profile")
        warehouse.execute("create table ops.still_writable (x bigint)")
    assert all(check.status == "passed" for result in results.values() for check in result.checks) and len(results) == 2


def test_the_file_is_free_for_other_processes_after_a_gate(settings: Settings) -> None:
    run_gate("marts", ["membership"], settings=settings, run=RUN, contracts=CONTRACTS)
    script = (
        f"import duckdb; duckdb.connect({str(settings.warehouse_path)!r}).execute('create table ops.mine (x bigint)')"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_days_before_the_day_are_judged_by_what_was_known(settings: Settings) -> None:
    result = run_gate(
        "raw", ["region_metadata"], settings=settings, run=replace(RUN, as_of=date(2026, 1, 6)), contracts=CONTRACTS
    )
    assert "row_count" not in {check.check_name for check in result.checks}, (
        "two earlier days are too few to compare with"
    )
    assert {check.as_of for check in result.checks} == {date(2026, 1, 6)} and date(2026, 1, 6) != DAY


def test_without_a_warehouse_the_gate_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no warehouse"):
        run_gate("raw", ["user_profile"], settings=Settings(home=tmp_path / "none"), run=RUN, contracts=CONTRACTS)

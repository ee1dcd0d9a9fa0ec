"""The way of a sheet through the operational store: taken in, mapped, staged by dbt, and back from quarantine after a decision."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from regulars.cleansing.rules import MappingRule
from regulars.postgres.intake import CsvFile, take_in
from regulars.postgres.mapping_review import approve
from regulars.postgres.mappings import propose
from regulars.postgres.server import start_server, stop_server
from regulars.postgres.store import open_store
from regulars.run import Run
from regulars.settings import PROJECT_DIR, Settings

PROJECT = PROJECT_DIR / "dbt" / "operational"
RUN = Run("run-1", "customer-engagement", date(2026, 1, 5), datetime(2026, 1, 6, 6))
TABLE = "client_engagement_metrics"
SHEET = """ID,Name,Project,Month,Level,Status,Channel,Sessions,Spend,Last
C1,Ann & Co,P1,2023-01,High,active,email,3,100.5,2023-01-30
C1,Ann & Co,P1,Jan 2023,hi,Active ,email,four,"1,200.50",30/01/2023
C2,Bo,P1,2023-02,splendid,active,mail,twelve,(250.00),

C3,Cy,P2,2023-02,low,active,phone,n/a,2k,31.02.2023
C3,Cy,P2,44958,low,active,phone,n/a,2k,44970
"""


def contract() -> dict[str, dict[str, Any]]:
    entry = yaml.safe_load((PROJECT / "models" / "staging" / "_operations__sources.yml").read_text())["sources"][0]
    return {column["name"]: column.get("config", {}).get("meta", {}) for column in entry["tables"][0]["columns"]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("operational")
    yield home
    stop_server(home)


@pytest.fixture
def store(home: Path) -> Iterator[psycopg.Connection[Any]]:
    with open_store(Settings(_env_file=None, home=home)) as connection:
        yield connection


def build(home: Path) -> None:
    """One `dbt build` in a process of its own, as the README says it to those who work on the project."""
    server = start_server(home)
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "--quiet", "build", "--project-dir", PROJECT, "--profiles-dir", PROJECT,
         "--target-path", home / "target", "--log-path", home / "target"],
        env=os.environ | {"REGULARS_STORE_HOST": str(server.socket_dir), "DO_NOT_TRACK": "1"},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]


def test_a_sheet_is_staged_and_what_waits_comes_back_after_a_decision(
    home: Path, store: psycopg.Connection[Any], tmp_path: Path
) -> None:
    columns = tuple(contract())
    rules = {name: rule for name, meta in contract().items() if (rule := MappingRule.of(meta))}
    path = tmp_path / "ClientData_2023—EngagementMetrics.csv"
    path.write_text(SHEET.replace("\n\n", "\n,,,,,,,,,\n"))
    file = CsvFile(path, columns, skip=path.read_bytes().index(b"\n") + 1)
    take_in(store, TABLE, columns, file, RUN)
    propose(store, f"raw.{TABLE}", rules, RUN)
    build(home)

    staged = (
        "select client_id, engagement_level, status, channel, session_count, spend_amount::text, "
        "(select count(*) from staging.int_client_engagement_ranked as r where r.client_id = s.client_id and rank_from_below > 1) "
        "from staging.stg_customer_engagement as s order by 1"
    )
    waiting = "select row_number, problem from staging.client_engagement_waiting order by 1, 2"
    assert store.execute(staged).fetchall() == [
        ("C1", "high", "active", "email", 4, "1200.50", 1),
        ("C3", "low", "active", "phone", None, "2000.00", 0),
    ]
    assert store.execute(waiting).fetchall() == [
        (4, "engagement_level: waits for a decision"),
        (6, "last_contact_on: no day in a form that the contract allows"),
    ]

    approve(store, "engagement_level", "splendid", value="high", by="test", at=RUN.started_at.replace(tzinfo=UTC))
    build(home)
    assert store.execute(staged).fetchall()[1] == ("C2", "high", "active", "email", 12, "-250.00", 0)
    assert store.execute(waiting).fetchall() == [(6, "last_contact_on: no day in a form that the contract allows")]


def test_the_unit_tests_of_dbt_speak_of_the_contract_that_is() -> None:
    tests = yaml.safe_load((PROJECT / "models" / "staging" / "_operations__unit_tests.yml").read_text())["unit_tests"]
    kinds = {"words": "word", "numbers": "number"}
    for test in tests:
        if "overrides" not in test:
            continue  # a model that does not read the contract
        said = test["overrides"]["macros"]["sheet_columns"]
        assert list(said) == list(contract())
        for name, meta in contract().items():
            assert said[name]["required"] == meta.get("required", False), name
            assert said[name]["kind"] == kinds.get(meta.get("mapping"), said[name]["kind"]), name
            assert said[name]["forms"] == meta.get("forms", []), name

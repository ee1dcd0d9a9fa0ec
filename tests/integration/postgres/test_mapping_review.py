"""Reviewing mappings in a real PostgreSQL: by function, by file, and by the command line."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from flows.__main__ import app
from regulars.cleansing.decision_files import read_csv, write_csv
from regulars.cleansing.rules import MappingRule
from regulars.errors import ConfigError, ContractError
from regulars.postgres.mapping_review import (
    Decided,
    approve,
    approve_all,
    export_mappings,
    import_decisions,
    list_mappings,
    reject,
)
from regulars.postgres.mapping_tables import lock_rules
from regulars.postgres.mappings import propose
from regulars.postgres.server import start_server, stop_server
from regulars.run import Run

Connection = psycopg.Connection[Any]
COLUMNS = {
    "level": MappingRule(mapping="words", vocabulary=("high", "low")),
    "spend": MappingRule(mapping="numbers"),
}
CELLS = [("high", "5"), ("hihg", "10-20"), ("=hgih", "n/a"), ("zebra", "5 oz"), ("HIGH", "-5")]
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
RUN = Run("run", "customer-engagement", date(2026, 1, 31), datetime(2026, 1, 31, 9))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    start_server(home).ensure_database("operational")
    yield home
    stop_server(home)


@pytest.fixture
def store(home: Path) -> Iterator[Connection]:
    with psycopg.connect(start_server(home).uri("operational"), autocommit=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        fill(connection)
        yield connection


def fill(connection: Connection) -> None:
    connection.execute("drop schema if exists mapping cascade; drop schema if exists raw cascade; create schema raw")
    connection.execute("create table raw.metrics (level text, spend text, _tab text, _row bigint)")
    with connection.cursor() as cursor:
        cursor.executemany("insert into raw.metrics (level, spend) values (%s, %s)", CELLS)
    propose(connection, "raw.metrics", COLUMNS, RUN)


def found(connection: Connection, column: str, raw: str) -> dict[str, Any]:
    return list_mappings(connection, column=column, raw=raw)[0]


def test_records_are_listed_by_kind(store: Connection) -> None:
    assert [(row["raw"], row["is_usable"]) for row in list_mappings(store, column="level")] == [
        ("=hgih", False), ("HIGH", True), ("high", True), ("hihg", False), ("zebra", False),
    ]  # fmt: skip
    row = found(store, "spend", "10-20")
    assert (row["kind"], row["number"], row["status"], row["rule"], row["seen_count"]) == (
        "numbers",
        15,
        "proposed",
        "range",
        1,
    )
    assert "canonical" not in row and "number" not in found(store, "level", "high")
    assert {row["raw"] for row in list_mappings(store, waiting=True)} == {"=hgih", "hihg", "zebra", "10-20", "5 oz"}
    assert len(list_mappings(store, limit=2)) == 2


def test_approving_rejecting_and_changing_ones_mind(store: Connection) -> None:
    assert approve(store, "level", "hihg", by="ann", at=NOON) == Decided(approved=1)
    assert approve(store, "level", "hihg", by="bob", at=NOON + timedelta(1)) == Decided(unchanged=1)
    assert found(store, "level", "hihg")["decided_by"] == "ann"
    assert approve(store, "level", "hihg", value="low", by="bob", at=NOON + timedelta(1)) == Decided(approved=1)
    row = found(store, "level", "hihg")
    assert (row["canonical"], row["decided_by"], row["decided_at"]) == ("low", "bob", NOON + timedelta(1))
    assert reject(store, "spend", "5", by="bob", at=NOON) == Decided(rejected=1)
    assert (found(store, "spend", "5")["number"], found(store, "spend", "5")["is_usable"]) == (5, False)
    assert approve(store, "spend", "10-20", value="(null)", by="ann", at=NOON) == Decided(approved=1)
    assert found(store, "spend", "10-20")["is_usable"]
    assert approve(store, "spend", "n/a", by="ann", at=NOON) == Decided(approved=1)


@pytest.mark.parametrize(
    ("column", "raw", "value", "said"),
    [
        ("level", "zebra", None, "canonical: is empty"),
        ("level", "zebra", "hgih", "nearest: 'high'"),
        ("spend", "5 oz", "five", "not written plainly"),
        ("levl", "zebra", "high", "nearest: 'level'"),
    ],
)
def test_a_decision_that_cannot_be_says_why(store: Connection, column: str, raw: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        approve(store, column, raw, value=value, by="ann", at=NOON)
    with pytest.raises(ContractError, match="'unheard of' was never seen in column level"):
        reject(store, "level", "unheard of", by="ann", at=NOON)


def test_approving_all_from_a_confidence_on(store: Connection) -> None:
    assert approve_all(store, Decimal("0.875"), column="level", by="ann", at=NOON) == Decided(approved=4)
    assert {row["raw"] for row in list_mappings(store, status="approved")} == {"=hgih", "HIGH", "high", "hihg"}
    assert approve_all(store, Decimal(0), by="ann", at=NOON) == Decided(approved=5), "all but zebra, which has no value"


def test_a_file_goes_out_and_comes_back(store: Connection, tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    approve(store, "level", "high", by="ann", at=NOON)
    assert write_csv(path, export_mappings(store)) == 10
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = {(row["column"], row["raw"]): row for row in csv.DictReader(file)}
    assert rows["level", "'=hgih"]["canonical"] == "high" and rows["spend", "'-5"]["number"] == "'-5"
    assert rows["spend", "n/a"]["number"] == "(null)" and rows["level", "zebra"]["canonical"] == ""
    rows["level", "'=hgih"] |= {"status": "approved"}
    rows["level", "zebra"] |= {"status": "rejected"}
    rows["level", "high"] |= {"canonical": "low"}  # ann's decision, edited
    rows["spend", "'-5"] |= {"status": "approved"}
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(next(iter(rows.values()))), delimiter=";")
        writer.writeheader()
        writer.writerows(rows.values())
    later = NOON + timedelta(hours=1)
    assert import_decisions(store, read_csv(path), "review.csv", by="bob", at=later) == Decided(3, 1, 0)
    assert import_decisions(store, read_csv(path), "review.csv", by="eve", at=later + timedelta(1)) == Decided(0, 0, 4)
    assert {row["decided_by"] for row in list_mappings(store) if row["decided_by"]} == {"bob"}
    assert (found(store, "level", "=hgih")["canonical"], found(store, "spend", "-5")["number"]) == ("high", -5)
    assert found(store, "level", "high")["canonical"] == "low"


def test_decisions_of_another_store_keep_who_and_when(store: Connection) -> None:
    approve(store, "level", "high", by="ann", at=NOON)
    approve(store, "level", "hihg", by="ann", at=NOON)
    at = {"decided_by": "kim", "decided_at": (NOON - timedelta(1)).isoformat()}
    after = {"decided_by": "kim", "decided_at": (NOON + timedelta(1)).isoformat()}
    records = [
        {"column": "level", "raw": "high", "status": "approved", "canonical": "low", **at},
        {"column": "level", "raw": "hihg", "status": "approved", "canonical": "low", **after},
        {"column": "level", "raw": "HIGH", "status": "rejected", **at},
    ]
    assert import_decisions(store, enumerate(records, 2), "x", by="bob", at=NOON) == Decided(1, 1, 1)
    assert [(row["raw"], row["decided_by"]) for row in list_mappings(store, column="level") if row["decided_by"]] == [
        ("HIGH", "kim"), ("high", "ann"), ("hihg", "kim"),
    ]  # fmt: skip
    ahead = [{"column": "level", "raw": "top", "status": "approved", "canonical": "high"}]
    with pytest.raises(ContractError, match="x: line 2: raw: 'top' was never seen"):
        import_decisions(store, enumerate(ahead, 2), "x", by="bob", at=NOON)
    assert import_decisions(store, enumerate(ahead, 2), "x", by="bob", at=NOON, unseen=True) == Decided(approved=1)
    store.execute("update raw.metrics set level = 'top' where level = 'zebra'")
    propose(store, "raw.metrics", COLUMNS, RUN)
    row = found(store, "level", "top")
    assert (row["canonical"], row["status"], row["seen_count"], row["last_seen"]) == (
        "high",
        "approved",
        1,
        NOON.replace(hour=9),
    )


def test_a_file_with_one_wrong_line_changes_nothing(store: Connection) -> None:
    records = [{"column": "level", "raw": "hihg", "status": "approved", "canonical": word} for word in ("high", "hgih")]
    before = list_mappings(store)
    with pytest.raises(ContractError, match="line 3"):
        import_decisions(store, enumerate(records, 2), "x", by="bob", at=NOON)
    assert list_mappings(store) == before


def test_a_decision_waits_for_a_run_that_is_proposing(store: Connection, home: Path) -> None:
    done: list[Decided] = []

    def decide() -> None:
        with psycopg.connect(start_server(home).uri("operational"), autocommit=True) as connection:
            done.append(approve(connection, "level", "hihg", by="ann", at=NOON))

    with store.transaction():
        lock_rules(store, ["level"])
        worker = threading.Thread(target=decide)
        worker.start()
        worker.join(0.3)
        assert worker.is_alive() and not done
    worker.join()
    assert done == [Decided(approved=1)]


def test_the_command_line(store: Connection, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGULARS_HOME", str(home))
    store.execute("create schema if not exists staging; create schema if not exists ops")

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["mappings", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    listed = json.loads(call("list", "--waiting", "--json"))
    assert [(row["column"], row["raw"]) for row in listed] == [
        ("level", "=hgih"), ("level", "hihg"), ("level", "zebra"), ("spend", "10-20"), ("spend", "5 oz"),
    ]  # fmt: skip
    assert (listed[1]["canonical"], listed[1]["confidence"], listed[3]["number"]) == ("high", 0.875, "15")
    assert "hihg" in call("list") and "misspelling" in call("list", "--column", "level")
    assert "(null)" in call("list", "--column", "spend")
    assert "1 approved, 0 rejected" in call("approve", "--column", "level", "--raw", "hihg", "--by", "ann")
    assert "1 approved" in call("approve", "--column", "spend", "--raw", "-5", "--as", "5")
    assert json.loads(call("reject", "--column", "level", "--raw", "zebra", "--json"))["rejected"] == 1
    assert json.loads(call("approve", "--all", "--min-confidence", "0.95", "--json"))["approved"] == 4
    path = tmp_path / "out.csv"
    assert f"10 mappings in {path}" in call("export", str(path))
    assert "0 approved, 0 rejected, 7 unchanged" in call("import", str(path))
    assert found(store, "spend", "-5")["number"] == 5
    for wrong in (["approve"], ["approve", "--all"], ["reject", "--raw", "x"], ["list", "--status", "ok"]):
        with pytest.raises(ConfigError):
            CliRunner().invoke(app, ["mappings", *wrong], catch_exceptions=False)

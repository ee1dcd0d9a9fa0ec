"""The whole daily merge on both engines: a day that comes late, one that is restated, and equal tables in the end."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import emulator
import pytest
import sessions
import yaml
from comparison import delivered, differences
from snowflake_sql import faults
from test_warehouse import plain

from flows.loyalty import daily_loyalty_merge
from regulars.sample.spec import SampleSpec
from regulars.sample.tables import TABLES
from regulars.sample.write import write_sample
from regulars.settings import Settings, load_settings
from regulars.snowflake_settings import SnowflakeSettings
from regulars.warehouse import open_warehouse
from regulars.warehouse.published import read_published

pytestmark = [pytest.mark.parity, pytest.mark.timeout(3000)]

SPEC = SampleSpec(users=500, days=3, seed=11, start=date(2026, 1, 5))
FIRST, SECOND, THIRD = SPEC.all_days()


@dataclass(frozen=True)
class World:
    """A home and the files its sources are read from."""

    home: Path
    files: Path
    enter: Callable[[], Settings]


@pytest.fixture
def worlds(
    prefect_server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snowflake_access: SnowflakeSettings
) -> dict[str, World]:
    """The same sample for each engine; `enter` makes a world the one that flows run in."""
    write_sample(SPEC, tmp_path / "sample")
    monkeypatch.setenv("REGULARS_PSEUDONYM_KEY", "test-key")
    for name, value in snowflake_access.model_dump(exclude_defaults=True).items():
        monkeypatch.setenv(f"REGULARS_SNOWFLAKE__{name.upper()}", plain(value))

    def world(engine: str) -> World:
        home, files = tmp_path / engine, tmp_path / f"{engine}-files"
        shutil.copytree(tmp_path / "sample", files)
        home.mkdir()
        sources = {
            "connections": {"files": {"kind": "files", "path": str(files)}},
            "tables": {table: {"from": "files", "path": f"{table}/{{as_of}}.csv"} for table in TABLES},
        }
        (home / "sources.yml").write_text(yaml.safe_dump(sources))

        def enter() -> Settings:
            monkeypatch.setenv("REGULARS_WAREHOUSE", engine)
            monkeypatch.setenv("REGULARS_HOME", str(home))
            monkeypatch.setenv("REGULARS_SOURCES", str(home / "sources.yml"))
            return load_settings()

        return World(home, files, enter)

    return {engine: world(engine) for engine in ("duckdb", "snowflake")}


def restate(files: Path, day: date) -> None:
    """The source corrects a day: the last rows of two tables are gone, the others' amounts and regions changed."""
    for table, column in (("user_activity", "channel"), ("user_profile", "region_code")):
        path = files / table / f"{day}.csv"
        with path.open(newline="") as file:
            header, *rows = list(csv.reader(file))
        place, values = header.index(column), [row[header.index(column)] for row in rows]
        kept = [
            [*row[:place], values[(n + 7) % len(values)], *row[place + 1 :]] for n, row in enumerate(rows[:-9], start=1)
        ]
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([header, *kept])


# Statements by which the work of a layer is known.
WORK = {
    "load": r'copy into "raw"',
    "marts": r"create\b.*\btable\b[^(]*\.marts\.loyalty_master\b",
    "intermediate": r"create\b.*\btable\b[^(]*\.intermediate\.int_\w+",
    "gates": r"select count\(\*\)[^(]*from \(select .* from raw\.user_profile",
}


def worked_by(sent: Sequence[sessions.Statement], pattern: str) -> set[str]:
    """Virtual warehouses of the statements that hold `pattern`."""
    wanted = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return {one.warehouse for one in sent if wanted.search(one.sql[:3000])}


def is_tagged(tag: str) -> bool:
    """Whether a query tag says whose work a statement of the merge was."""
    parts = json.loads(tag or "{}")
    days = {str(day) for day in SPEC.all_days()}
    return parts.get("flow") == "daily-loyalty-merge" and bool(parts.get("run")) and parts.get("as_of") in days


def test_late_and_restated_days_end_in_the_same_tables_and_files(
    worlds: dict[str, World], snowflake_server: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, before = {}, len(sessions.noted)
    on_emulator = snowflake_server["account"] == "org-emulator"
    if on_emulator:  # an account has the virtual warehouses that it has
        monkeypatch.setenv("REGULARS_SNOWFLAKE__WAREHOUSES__MARTS", "LARGE")
        monkeypatch.setenv("REGULARS_SNOWFLAKE__WAREHOUSES__GATES", "JUDGING")
    for engine, world in worlds.items():
        settings[engine] = world.enter()
        daily_loyalty_merge(FIRST)
        daily_loyalty_merge(THIRD)
        daily_loyalty_merge(SECOND)  # comes late
        restate(world.files, SECOND)
        daily_loyalty_merge(SECOND, refresh=True)
    if on_emulator:
        sent = sessions.noted[before:]
        assert len(sent) > 1000 and [one.sql for one in sent if not is_tagged(one.tag)] == []
        assert {who: worked_by(sent, text) for who, text in WORK.items()} == {
            "load": {"LOADING"}, "marts": {"LARGE"}, "intermediate": {"LOADING"}, "gates": {"JUDGING"}
        }  # fmt: skip
    with open_warehouse(settings["duckdb"]) as here, open_warehouse(settings["snowflake"]) as there:
        assert here.query("select count(*) from marts.loyalty_master")[0][0] > 400
        assert here.query("select max(revision) from ops.effective_batches") == [(2,)]
        assert differences((here, settings["duckdb"]), (there, settings["snowflake"])) == []
    files = {engine: delivered(world.home / "deliveries") for engine, world in worlds.items()}
    assert len(files["duckdb"]) >= 2 * 3 * 6
    assert files["snowflake"] == files["duckdb"]
    shown = []
    for engine in worlds:
        with read_published(settings[engine]) as reader:
            shown.append(reader.query("select * from marts.loyalty_master order by user_id"))
            shown[-1] += reader.query("select * from segments.membership order by segment, user_id, entered_on")
    assert shown[0] == shown[1]
    wrong = {sql[:2000]: found for sql in emulator.sent if (found := faults(sql))}
    assert wrong == {}, f"{len(wrong)} of {len(emulator.sent)} statements"

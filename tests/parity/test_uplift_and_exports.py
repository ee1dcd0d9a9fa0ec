"""Segment uplift and exports say the same on both engines."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from snowflake_sql import faults
from test_warehouse import CONTRACTS

from regulars.exports import export
from regulars.settings import PROJECT_DIR, Settings
from regulars.snowflake_settings import SnowflakeSettings
from regulars.warehouse import open_warehouse

pytestmark = pytest.mark.parity
ENTERED, DAY, MEMBERS = date(2026, 1, 5), date(2026, 3, 31), 400
TABLES = """
create table marts.loyalty_history (user_id varchar, marketing_consent boolean, support_consent boolean, valid_from date, valid_to date);
create table marts.user_daily_activity (
    user_id varchar, activity_on date, landed_on date, purchase_count bigint, purchase_amount decimal(18, 2), login_count bigint);
create table segments.membership (segment varchar, user_id varchar, entered_on date, left_on date)
"""
ODD = """
create table marts.odd as
select 1 as id, cast(12.5 as decimal(18, 2)) as amount, cast('123456789012345678901.123456' as decimal(28, 6)) as wide,
    cast(0.1 as double) as score, true as is_new, date '2026-01-05' as day,
    cast('2026-01-05 10:11:12.123456' as {timestamp}) as seen_at, '=1+1' as note
union all
select 2, null, null, null, null, null, null, null
"""


@pytest.fixture(params=["duckdb", "snowflake"])
def either(request: pytest.FixtureRequest, settings: Settings, snowflake_access: SnowflakeSettings) -> Settings:
    """Settings of an empty warehouse of one engine."""
    return settings.model_copy(update={"warehouse": request.param, "snowflake": snowflake_access})


def values(draw: np.random.Generator) -> dict[str, list[str]]:
    """Rows of each table, as SQL."""
    users = [f"u{n:04d}" for n in range(MEMBERS)]
    orders = draw.poisson([2.0 if n >= 150 else 1.2 for n in range(MEMBERS)])
    return {
        "marts.loyalty_history": [f"('{user}', true, true, '2026-01-01', null)" for user in users],
        "marts.user_daily_activity": [
            f"('{user}', '2026-01-20', '2026-01-21', {count}, {count * 7.35:.2f}, {count % 3})"
            for user, count in zip(users, orders, strict=True)
        ],
        "segments.membership": [f"('highly_engaged', '{user}', '{ENTERED}', null)" for user in users]
        + [f"('low_engagement', '{user}', '{ENTERED}', null)" for user in users[:40]],
        "ops.holdouts": [f"('highly_engaged', 37.5, '{ENTERED}')", f"('low_engagement', 0, '{ENTERED}')"],
        "ops.holdout_members": [f"('highly_engaged', '{user}')" for user in users[:150]],
    }


def dbt_run(settings: Settings, environment: dict[str, str], target: Path) -> None:
    places = ["--project-dir", settings.dbt_project_dir, "--profiles-dir", settings.dbt_project_dir]
    asked = [
        "--target",
        settings.warehouse,
        "--vars",
        f"as_of: {DAY}",
        "--select",
        "segment_outcomes",
        "segment_uplift",
    ]
    command = [
        Path(sys.executable).with_name("dbt"),
        "run",
        *places,
        "--target-path",
        target,
        "--log-path",
        target,
        *asked,
    ]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


_uplift: dict[str, list[tuple[Any, ...]]] = {}


def test_uplift_is_equal(either: Settings, tmp_path: Path) -> None:
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        for statement in TABLES.split(";"):
            warehouse.execute(statement)
        for table, rows in values(np.random.default_rng(5)).items():
            warehouse.execute(f"insert into {table} values {', '.join(rows)}")
        batch = {
            "table_name": "user_profile",
            "as_of": DAY,
            "revision": 1,
            "scope": "full",
            "batch_id": "b",
            "status": "loaded",
        }
        warehouse.record("ingestion_logs", [batch])
        environment = warehouse.dbt_environment()
    dbt_run(either, environment, tmp_path / "target")
    with open_warehouse(either) as warehouse:
        found = warehouse.query("select * from segments.segment_uplift order by segment, outcome")
        people = warehouse.query("select * from segments.segment_outcomes order by segment, user_id")
    assert len(found) == 10 and len(people) == MEMBERS + 40
    assert {(row[0], row[1]): row[-4] for row in found}["highly_engaged", "orders"] == "uplift"
    _uplift[either.warehouse] = [*found, *people]
    if len(_uplift) == 2:
        assert _uplift["snowflake"] == _uplift["duckdb"]


def test_an_export_is_equal(either: Settings, tmp_path: Path) -> None:
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.execute(ODD.format(timestamp="timestamp_ntz(6)" if either.warehouse == "snowflake" else "timestamp"))
        warehouse.execute("create table marts.nothing (id bigint, amount decimal(18, 2))")
        warehouse.publish(["marts", "ops"])
    done = export(either, ["all"], str(tmp_path / "out"))
    assert {file.relation: file.rows for file in done.files} == {"marts.odd": 2, "marts.nothing": 0}
    found = pq.read_table(tmp_path / "out" / "marts.odd.parquet").sort_by("id")
    assert [str(kind) for kind in found.schema.types][1:] == [
        "decimal128(18, 2)", "decimal128(28, 6)", "double", "bool", "date32[day]", "timestamp[us]", "string",
    ]  # fmt: skip
    first, second = (list(row.values()) for row in found.to_pylist())
    assert first[:5] == [1, Decimal("12.50"), Decimal("123456789012345678901.123456"), 0.1, True]
    assert first[5] == date(2026, 1, 5) and str(first[6]) == "2026-01-05 10:11:12.123456" and first[7] == "=1+1"
    assert second == [2, *[None] * 7]
    assert export(either, ["odd"], str(tmp_path / "out"), "csv").files[0].cells_neutralised == 1


def test_reports_lean_on_nothing_that_engines_do_differently() -> None:
    reports = sorted((PROJECT_DIR / "docs" / "reports").glob("*.sql"))
    assert len(reports) >= 9
    assert {path.name: found for path in reports if (found := faults(path.read_text()))} == {}

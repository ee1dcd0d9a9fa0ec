"""dbt in this process: the project is parsed once, then every run reuses the manifest (which keeps the database name)."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner

from tests.integration.dbt.landings import PROJECT


@cache
def _manifest() -> Any:
    os.environ["REGULARS_WAREHOUSE_PATH"] = (
        "warehouse.duckdb"  # the manifest keeps the database name: that of every test's file
    )
    result = dbtRunner().invoke(["parse", *_places(), "--no-partial-parse", "--vars", "{}"])
    assert result.success, result.exception
    return result.result


@cache
def _target() -> str:
    return tempfile.mkdtemp(prefix="dbt-target-")


def _places() -> list[str]:
    return [
        "--project-dir",
        str(PROJECT),
        "--profiles-dir",
        str(PROJECT),
        "--target-path",
        _target(),
        "--log-path",
        _target(),
        "--log-level-file",
        "none",
        "--quiet",
    ]


def invoke_dbt(
    warehouse: Path,
    as_of: date | None,
    first_day: date | None,
    command: str,
    arguments: tuple[str, ...],
    **variables: str,
) -> Any:
    """One dbt command on a warehouse file (called warehouse.duckdb); the dbtRunnerResult, whatever came of it."""
    manifest = _manifest()
    os.environ["REGULARS_WAREHOUSE_PATH"] = str(warehouse)
    days = {name: day.isoformat() for name, day in {"as_of": as_of, "first_day": first_day}.items() if day}
    facts = days | variables
    return dbtRunner(manifest=manifest).invoke(
        [*command.split(), *_places(), "--threads", "1", "--vars", json.dumps(facts), *arguments]
    )


def failed_nodes(result: Any) -> dict[str, str]:
    """Name -> message of every node that did not succeed."""
    return {
        one.node.name: str(one.message)
        for one in result.result.results
        if one.status in ("error", "fail", "runtime error")
    }


def run_dbt(
    warehouse: Path,
    as_of: date,
    first_day: date | None = None,
    *,
    command: str = "run",
    arguments: tuple[str, ...] = (),
    **variables: str,
) -> Any:
    """As `invoke_dbt`, but fails the test with dbt's own words."""
    result = invoke_dbt(warehouse, as_of, first_day, command, arguments, **variables)
    assert result.success, failed_nodes(result) if result.result else str(result.exception)
    return result.result

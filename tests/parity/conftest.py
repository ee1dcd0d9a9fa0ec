"""Warehouses of both engines for the same tests."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regulars.settings import Settings
from regulars.snowflake_settings import SnowflakeSettings

sys.path.insert(0, str(Path(__file__).parent))  # tests are no package: the test double stands beside them

_numbers = itertools.count(1)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Without the marker these files are not even imported: the clients of Snowflake take seconds."""
    return True if "not parity" in (config.getoption("markexpr") or "") else None


@pytest.fixture(scope="session")
def snowflake_server() -> Iterator[dict[str, Any]]:
    """A server that speaks Snowflake's protocol."""
    from emulator import emulator

    with emulator() as access:
        yield access


@pytest.fixture
def snowflake_access(snowflake_server: dict[str, Any]) -> SnowflakeSettings:
    """Access to a database of its own, with a published one beside it."""
    import snowflake.connector

    name = f"PARITY_{next(_numbers)}"
    for database in (name, f"{name}_PUBLISHED"):
        with snowflake.connector.connect(**snowflake_server, database=database, schema="OPS"):
            pass
    return SnowflakeSettings(
        account="org-emulator", user="loader", password="canary-password", warehouse="LOADING", database=name,
        host=snowflake_server["host"], port=snowflake_server["port"], protocol="http",
        network_timeout_seconds=20,  # what the emulator cannot do it answers with an error of the server's
    )  # fmt: skip


@pytest.fixture
def on_snowflake(settings: Settings, snowflake_access: SnowflakeSettings) -> Settings:
    """Settings of an empty home whose warehouse is the emulator."""
    return settings.model_copy(update={"warehouse": "snowflake", "snowflake": snowflake_access})


@pytest.fixture(params=["duckdb", "snowflake"])
def either(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings of an empty home, once for each engine."""
    found: Settings = settings if request.param == "duckdb" else request.getfixturevalue("on_snowflake")
    return found

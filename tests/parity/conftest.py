"""Warehouses of both engines for the same tests.

Where REGULARS_TEST_SNOWFLAKE_ACCOUNT is set, Snowflake is that account and not the emulator: each of the variables
REGULARS_TEST_SNOWFLAKE_<NAME> is the setting REGULARS_SNOWFLAKE__<NAME>. Every test gets two databases of its own, whose names
begin with REGULARS_PARITY_, and drops them; the role must be allowed to create databases.
"""

from __future__ import annotations

import itertools
import os
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


PREFIX = "REGULARS_TEST_SNOWFLAKE_"
ACCOUNT = {name.removeprefix(PREFIX).lower(): value for name, value in os.environ.items() if name.startswith(PREFIX)}


@pytest.fixture(scope="session")
def snowflake_server() -> Iterator[dict[str, Any]]:
    """Access to what speaks Snowflake's protocol: the account of the environment, else the emulator."""
    if ACCOUNT.get("account"):
        yield ACCOUNT
        return
    from emulator import emulator

    with emulator() as access:
        yield {
            "account": "org-emulator", "user": "loader", "password": "canary-password", "warehouse": "LOADING",
            "host": access["host"], "port": access["port"], "protocol": "http",
            "network_timeout_seconds": 20,  # what the emulator cannot do it answers with an error of the server's
        }  # fmt: skip


@pytest.fixture
def snowflake_access(snowflake_server: dict[str, Any]) -> Iterator[SnowflakeSettings]:
    """Access to a database of its own, with a published one beside it."""
    from regulars.warehouse.snowflake_session import SnowflakeSessions

    name = f"REGULARS_PARITY_{os.getpid()}_{next(_numbers)}"
    access = SnowflakeSettings.model_validate({**snowflake_server, "database": name})
    with SnowflakeSessions(access, None) as sessions:
        for database in (name, access.readers_database):
            sessions.execute(f"create database if not exists {database}")
    yield access
    with SnowflakeSessions(access, None) as sessions:
        for database in (name, access.readers_database):
            sessions.execute(f"drop database if exists {database}")


@pytest.fixture
def emulated(snowflake_server: dict[str, Any]) -> None:
    """For tests of what only the emulator lets itself be made to do."""
    if ACCOUNT.get("account"):
        pytest.skip("changes how the emulator answers")


@pytest.fixture
def on_snowflake(settings: Settings, snowflake_access: SnowflakeSettings) -> Settings:
    """Settings of an empty home whose warehouse is the emulator."""
    return settings.model_copy(update={"warehouse": "snowflake", "snowflake": snowflake_access})


@pytest.fixture(params=["duckdb", "snowflake"])
def either(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Settings of an empty home, once for each engine."""
    found: Settings = settings if request.param == "duckdb" else request.getfixturevalue("on_snowflake")
    return found


@pytest.fixture
def on_s3(emulated: None, on_snowflake: Settings) -> Iterator[Settings]:
    """A landing in a bucket of a server that speaks S3's protocol, which the emulator can read, list and write."""
    import boto3
    import requests
    import stage_files
    from fakesnow.server import shared_fs
    from moto.server import ThreadedMotoServer
    from pydantic import SecretStr

    from regulars.engine import allow_s3
    from regulars.settings import S3Settings

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    access = S3Settings(endpoint=f"http://{host}:{port}", access_key_id="key", secret_access_key=SecretStr("secret"))
    client = boto3.client(
        "s3", endpoint_url=access.endpoint, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
    )  # fmt: skip
    requests.post(f"{access.endpoint}/moto-api/reset", timeout=10)  # servers of one process share what they hold
    client.create_bucket(Bucket="landing")
    allow_s3(shared_fs.duck_conn, access)
    stage_files.s3 = client
    integration = on_snowflake.snowflake.model_copy(update={"storage_integration": "REGULARS_S3"})
    yield on_snowflake.model_copy(update={"landing_url": "s3://landing/prod", "s3": access, "snowflake": integration})
    client.close()
    server.stop()

"""Access to Snowflake: settings, blocks, what an error says, and that no secret is in any of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from prefect_snowflake import SnowflakeConnector, SnowflakeCredentials
from pydantic import SecretStr
from snowflake.connector import errors
from test_warehouse import CONTRACTS, DAY, NOW

from regulars.engine_errors import without_values
from regulars.errors import ConfigError, EngineError, TransientError
from regulars.run import Run
from regulars.settings import Settings, load_settings
from regulars.snowflake_settings import SnowflakeSettings
from regulars.warehouse import open_warehouse
from regulars.warehouse.snowflake_errors import as_regulars_error
from regulars.warehouse.snowflake_session import SnowflakeSessions, private_key, query_tag
from tasks.blocks import with_blocks

pytestmark = pytest.mark.parity
CANARY = "zqs-canary-17"


def key_pair(passphrase: str | None) -> str:
    wrapped = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, wrapped).decode()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"ACCOUNT": "org-acct", "USER": "loader", "PASSWORD": CANARY, "WAREHOUSES__MARTS": "BIG", "WAREHOUSE": "SMALL",
             "QUERY_TAGS": '{"team": "loyalty"}'}  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(f"REGULARS_SNOWFLAKE__{name}", value)
    found = load_settings(_env_file=None).snowflake
    assert (found.warehouse_of("marts"), found.warehouse_of("load")) == ("BIG", "SMALL")
    assert found.readers_database == "REGULARS_PUBLISHED"
    assert CANARY not in repr(found) and CANARY not in str(found.model_dump())
    monkeypatch.setenv("REGULARS_SNOWFLAKE__DATABASE", 'x"; drop database y')
    with pytest.raises(ConfigError, match="REGULARS_SNOWFLAKE__DATABASE"):
        load_settings(_env_file=None)


@pytest.mark.parametrize("passphrase", [None, "open sesame"])
def test_a_key_pair_is_read_from_a_file_or_as_text(tmp_path: Path, passphrase: str | None) -> None:
    pem = key_pair(passphrase)
    (tmp_path / "key.p8").write_text(pem)
    secret = SecretStr(passphrase) if passphrase else None
    by_file = SnowflakeSettings(private_key_file=tmp_path / "key.p8", private_key_passphrase=secret)
    by_text = SnowflakeSettings(private_key=SecretStr(pem), private_key_passphrase=secret)
    assert private_key(by_file) == private_key(by_text) is not None
    with pytest.raises(ConfigError, match="passphrase is wrong or missing") as refused:
        private_key(by_text.model_copy(update={"private_key_passphrase": None if passphrase else SecretStr(CANARY)}))
    assert pem not in str(refused.value) and CANARY not in str(refused.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        private_key(SnowflakeSettings(private_key_file=tmp_path / "none.p8"))


def test_blocks_become_plain_settings(prefect_server: None) -> None:
    pem = key_pair("open sesame")
    credentials = SnowflakeCredentials(
        account="org-acct", user="loader", private_key=pem.encode(), private_key_passphrase="open sesame", role="LOADER"
    )
    SnowflakeConnector(credentials=credentials, database="SALES", warehouse="SMALL", schema="OPS").save(
        "whole", overwrite=True
    )
    credentials.save("alone", overwrite=True)
    asked = Settings(_env_file=None, snowflake=SnowflakeSettings(block="whole", query_tags={"team": "loyalty"}))
    found = with_blocks(asked).snowflake
    assert (found.account, found.user, found.role, found.database, found.warehouse) == (
        "org-acct", "loader", "LOADER", "SALES", "SMALL",
    )  # fmt: skip
    assert found.query_tags == {"team": "loyalty"} and found.authenticator is None
    assert private_key(found) is not None
    alone = with_blocks(asked.model_copy(update={"snowflake": SnowflakeSettings(block="snowflake-credentials/alone")}))
    assert (alone.snowflake.account, alone.snowflake.database) == ("org-acct", "REGULARS")
    with pytest.raises(ConfigError, match="there is no Prefect block"):
        with_blocks(asked.model_copy(update={"snowflake": SnowflakeSettings(block="absent")}))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.OperationalError(msg="Failed to connect to DB: timed out", errno=250001), TransientError),
        (errors.DatabaseError(msg="Incorrect username or password was specified.", errno=390100), ConfigError),
        (errors.DatabaseError(msg="JWT token is invalid.", errno=390144), ConfigError),
        (errors.ProgrammingError(msg="Object 'REGULARS' does not exist or not authorized.", errno=2043), ConfigError),
        (errors.ProgrammingError(msg="No active warehouse selected in the current session.", errno=606), ConfigError),
        (errors.ProgrammingError(msg="has locked table 'X' in transaction 1", errno=625), TransientError),
        (errors.ProgrammingError(msg="Numeric value 'a@b.c' is not recognized", errno=100038, sqlstate="22018"), EngineError),
        (errors.ServiceUnavailableError(msg="HTTP 503", errno=290503), TransientError),
        (errors.InternalServerError(msg="HTTP 500", errno=290500), TransientError),
    ],
)  # fmt: skip
def test_errors_are_transient_or_final(error: Exception, kind: type[Exception]) -> None:
    found = as_regulars_error(error, "loading orders")
    assert type(found) is kind and "loading orders" in str(found)
    assert "a@b.c" not in str(found)


def test_a_message_names_things_and_repeats_no_value() -> None:
    said = "100038 (22018): 01b2c3d4-0000-1111-2222-333344445555: Numeric value 'ann@example.com' is not recognized"
    assert "ann@example.com" not in without_values(said)
    said = "002003 (42S02): SQL compilation error:\nObject 'REGULARS.RAW.ORDERS' does not exist or not authorized."
    assert without_values(said).endswith("Object 'REGULARS.RAW.ORDERS' does not exist or not authorized.")
    said = "001003 (42000): SQL compilation error:\nsyntax error line 1 at position 7 unexpected ''ann@example.com''."
    assert "ann@example.com" not in without_values(said)


def test_nobody_answers(settings: Settings) -> None:
    access = SnowflakeSettings(
        account="org-acct", user="u", password=SecretStr(CANARY), host="127.0.0.1", port=1, protocol="http",
        login_timeout_seconds=2,
    )  # fmt: skip
    elsewhere = settings.model_copy(update={"warehouse": "snowflake", "snowflake": access})
    with pytest.raises(TransientError) as refused:
        open_warehouse(elsewhere).__enter__()
    assert CANARY not in str(refused.value)


def test_a_query_tag_says_whose_work_it_is() -> None:
    assert json.loads(query_tag({"team": "loyalty"}, Run("r1", "ingest", DAY, NOW))) == {
        "application": "regulars", "flow": "ingest", "run": "r1", "as_of": "2026-01-05", "team": "loyalty",
    }  # fmt: skip


def test_no_secret_is_in_what_dbt_and_errors_show(on_snowflake: Settings, capsys: Any) -> None:
    secret = on_snowflake.model_copy(
        update={"snowflake": on_snowflake.snowflake.model_copy(update={"password": SecretStr(CANARY)})}
    )
    with open_warehouse(secret) as warehouse:
        warehouse.prepare(CONTRACTS)
        plain = {name: value for name, value in warehouse.dbt_environment().items() if CANARY in value}
        assert list(plain) == ["DBT_ENV_SECRET_REGULARS_PASSWORD"]
        for wrong in (
            "select * from nowhere",
            "select cast('x' as bigint)",
            "select nothing_of_this_name from ops.runs",
        ):
            with pytest.raises((EngineError, ConfigError)) as refused:
                warehouse.query(wrong)
            assert CANARY not in str(refused.value)
    with SnowflakeSessions(secret.snowflake, None) as sessions, pytest.raises(ConfigError, match=r"nowhere|NOWHERE"):
        sessions.query("select * from nowhere")

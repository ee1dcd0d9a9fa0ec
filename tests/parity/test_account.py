"""The set-up of an account: what is printed, applied and found missing."""

from __future__ import annotations

import re
from typing import Any

import emulator
import pytest
from snowflake_sql import faults
from test_warehouse import plain
from typer.testing import CliRunner

from flows.__main__ import app
from regulars.contracts import read_contracts
from regulars.errors import ConfigError
from regulars.settings import PROJECT_DIR, Settings
from regulars.warehouse.snowflake_account import Account, Grant, apply_scripts, missing_grants, role_of
from regulars.warehouse.snowflake_session import SnowflakeSessions

pytestmark = [pytest.mark.parity, pytest.mark.usefixtures("emulated")]
CONTRACTS = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")
# Statements that sqlglot has no grammar for; read by people, and by an account.
UNREAD = re.compile(
    r"use role \w+|create role .*|(create|alter) (resource monitor|storage integration|network policy|masking policy|tag|warehouse|file format|stage) .*"
    r"|grant role \w+ to role \w+"
    r"|grant (create \w+|usage|read|write|ownership) on .*|alter (table \S+ modify column|schema) .*|create schema .* with managed access"
    r"|create database if not exists .*",
    re.DOTALL,
)


@pytest.fixture
def account(on_snowflake: Settings) -> Account:
    on_s3 = {"landing_url": "s3://acme/landing", "delivery_url": "s3://acme/deliveries"}
    return Account(
        on_snowflake.model_copy(update=on_s3),
        CONTRACTS,
        ("Marketing", "Customer Success"),
        aws_role="arn:aws:iam::1:role/r",
    )


def test_every_name_is_filled_in_and_every_statement_is_snowflake_s(account: Account) -> None:
    said = [statement for listed in account.scripts().values() for statement in listed]
    assert len(said) > 100
    assert not [statement for statement in said if "${" in statement]
    wrong = {sql: found for sql in said if not UNREAD.fullmatch(sql) and (found := faults(sql))}
    assert wrong == {}


def test_personal_columns_are_tagged_as_the_contracts_say(account: Account) -> None:
    said = account.scripts()["05_personal_data.sql"]
    tagged = {tuple(re.findall(r"raw\.(\w+) modify column (\w+)", one)[0]) for one in said if "set tag" in one}
    assert tagged == {(c.table, column.name) for c in CONTRACTS.values() for column in c.columns if column.pii}
    assert ("user_profile", "email") in tagged


def test_nobody_but_the_loader_may_touch_raw_and_readers_see_the_published_database_only(account: Account) -> None:
    root = account.settings.snowflake.database.upper()
    for grant in account.grants():
        if f"{root}.RAW" in grant.name or f"{root}.QUARANTINE" in grant.name:
            assert grant.role == f"{root}_LOADER"
        if "_READ_" in grant.role or grant.role.endswith("_DASHBOARD"):
            assert grant.kind == "WAREHOUSE" or grant.name == f"{root}_PUBLISHED", grant


def test_what_is_applied_is_complete_and_what_is_taken_is_missed(account: Account) -> None:
    emulator.granted.clear()
    wanted = account.grants()
    with SnowflakeSessions(account.settings.snowflake, None) as sessions:
        assert missing_grants(sessions, wanted) == wanted
        for _ in range(2):  # it may be repeated
            assert list(apply_scripts(sessions, account.scripts())) == sorted(account.scripts())
        assert missing_grants(sessions, wanted) == []
        root = account.settings.snowflake.database.upper()
        sessions.execute(f"revoke create table on schema {root}.marts from role {root}_TRANSFORMER")
        (lacking,) = missing_grants(sessions, wanted)
        assert lacking == Grant("CREATE TABLE", "SCHEMA", f"{root}.MARTS", f"{root}_TRANSFORMER")
        sessions.execute(lacking.statement.rstrip(";"))
        assert missing_grants(sessions, wanted) == []


def test_the_first_look_finds_no_broken_rule_and_one_that_is_broken(account: Account) -> None:
    *made, rules = account.scripts()["90_first_look.sql"]
    with SnowflakeSessions(account.settings.snowflake, None) as sessions:
        for statement in made:
            sessions.execute(statement)
        assert sessions.query(rules) == []
        table = f"{account.settings.snowflake.database}.first_look.orders"
        sessions.execute(
            f"insert into {table} select 'o-1', 'c-404', ordered_at, -1, currency_code from {table} where order_id = 'o-2'"
        )
        assert sorted(sessions.query(rules)) == [
            ("orders: amount is negative", "o-1"), ("orders: customer is unknown", "o-1"), ("orders: key", "o-1"),
        ]  # fmt: skip


def test_commands_print_check_and_apply(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.granted.clear()
    given: dict[str, Any] = account.settings.snowflake.model_dump(exclude_defaults=True)
    for name, value in given.items():
        monkeypatch.setenv(f"REGULARS_SNOWFLAKE__{name.upper()}", plain(value))
    monkeypatch.setenv("REGULARS_WAREHOUSE", "snowflake")
    monkeypatch.setenv("REGULARS_HOME", str(account.settings.home_dir))

    def call(*words: str) -> Any:
        return CliRunner().invoke(app, ["snowflake", "setup", *words])

    printed = call("--print")
    assert printed.exit_code == 0 and "-- 03_roles.sql" in printed.output and "canary-password" not in printed.output
    checked = call("--check")
    assert checked.exit_code == 1 and "lacks" in checked.output
    refused = call("--apply")
    assert isinstance(refused.exception, ConfigError) and "AWS role" in str(refused.exception)
    monkeypatch.setenv("REGULARS_LANDING_URL", "s3://acme/landing")
    applied = call("--apply", "--aws-role", "arn:aws:iam::1:role/r")
    assert applied.exit_code == 0, applied.output
    assert call("--check").exit_code == 0


def test_a_team_s_role_has_a_plain_name() -> None:
    assert role_of("regulars", "Customer Success (EMEA)") == "REGULARS_READ_CUSTOMER_SUCCESS_EMEA"

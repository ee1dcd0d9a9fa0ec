"""The set-up of an account on the emulator: what it can run is run, and what it cannot is named here."""

from __future__ import annotations

import re
from typing import Any

import pytest

from regulars.account.apply import account_session
from regulars.account.plan import Account, account_folder, plan_account
from regulars.account.spec import read_spec
from regulars.account.templates import render
from regulars.errors import RegularsError
from regulars.settings import Settings
from regulars.warehouse import open_warehouse

pytestmark = [pytest.mark.parity, pytest.mark.timeout(300)]

# The emulator has no roles, warehouses, policies, tags, tasks, users, integrations, file formats and secure views.
UNKNOWN_THERE = re.compile(
    r"use (role|warehouse) |grant |create (role|resource monitor|warehouse|tag|masking policy|user|file format) |"
    r"create or replace (task|secure view) |alter (resource monitor|warehouse|database|masking policy|tag|user|task) |"
    r"alter table \S+ modify column \S+\s+set tag "
)


@pytest.fixture
def account(on_snowflake: Settings) -> Account:
    """Landings in a folder: the emulator has no storage integrations."""
    return plan_account(on_snowflake, read_spec(account_folder(on_snowflake) / "account.yml"))


def run_all(account: Account, only: str | None = None) -> list[str]:
    """Statements that ran; the others have to be of those that the emulator is known not to have."""
    done = []
    with account_session(account.settings.snowflake, None) as ask:
        for step in render(account, only):
            if step.needs_publication:
                continue
            for statement in step.statements:
                if UNKNOWN_THERE.match(statement):
                    continue
                ask(statement)
                done.append(statement)
    return done


def test_the_setup_runs_twice_and_the_engine_works_in_what_it_made(account: Account) -> None:
    first = run_all(account)
    assert first == run_all(account)
    assert sum(statement.startswith("create schema") for statement in first) == 12
    assert sum(statement.startswith("create table") for statement in first) > 30
    with open_warehouse(account.settings) as warehouse:
        warehouse.prepare(account.contracts)
        made = warehouse.query("select count(*) from information_schema.tables where table_schema = 'RAW'")
    assert made == [(len(account.contracts),)]


def test_raw_tables_of_the_setup_are_the_engines_own(account: Account) -> None:
    columns = "select table_name, column_name, data_type from information_schema.columns where table_schema = 'RAW' order by 1, 2"
    run_all(account, "03")
    run_all(account, "06")
    with account_session(account.settings.snowflake, None) as ask:
        ask(f'use database "{account.database}"')
        of_setup = ask(columns)
        for table in account.contracts:
            ask(f'drop table "RAW"."{table.upper()}"')
    with open_warehouse(account.settings) as warehouse:
        warehouse.prepare(account.contracts)
        of_engine = warehouse.query(columns)
    assert [tuple(row.values()) for row in of_setup] == of_engine
    assert len(of_engine) > 100


def test_the_first_look_keeps_its_rules_and_its_tests_find_what_breaks_them(account: Account) -> None:
    run_all(account, "20")
    run_all(account, "20")

    def broken(ask: Any) -> set[tuple[str, str]]:
        rows = ask("select table_name, rule from first_look.broken_rules where found > 0")
        return {(row["table_name"], row["rule"]) for row in rows}

    with account_session(account.settings.snowflake, None) as ask:
        ask(f'use database "{account.database}"')
        assert ask("select count(*) as found from first_look.user_activity") == [{"found": 3}]
        assert broken(ask) == set()
        with pytest.raises(RegularsError):
            ask("insert into first_look.user_profile (user_id) values (null)")
        ask(
            "insert into first_look.user_activity (activity_id, user_id, activity_type, occurred_at, feedback_rating) "
            "select 'bad', 'U00000001', 'dance', '2026-01-05'::timestamp_ntz, 9"
        )
        assert broken(ask) == {
            ("user_activity", "values of activity_type"),
            ("user_activity", "maximum of feedback_rating"),
        }

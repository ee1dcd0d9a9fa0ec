"""What is missing is found, each privilege by itself, from answers in the shape that Snowflake documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from accounts import Answers, account_of

from regulars.account.apply import apply_steps
from regulars.account.check import check_account, wanted_objects
from regulars.account.grants import Grant, granted, missing, split_name
from regulars.account.templates import Step, render
from regulars.doctor import engine_findings
from regulars.errors import ConfigError, EngineError
from regulars.findings import Finding
from regulars.snowflake_settings import SnowflakeSettings


def lacking(account: object, answers: Answers) -> list[str]:
    found = check_account(account, answers)  # type: ignore[arg-type]
    return [finding.remedy for finding in found if not finding.is_fine and finding.remedy.startswith("grant ")]


def test_every_missing_privilege_is_found_with_its_statement(tmp_path: Path) -> None:
    account = account_of(tmp_path)
    assert lacking(account, Answers(account.grants)) == []
    assert len(account.grants) == 54
    inherited = set()
    for grant in account.grants:
        found = lacking(account, Answers(one for one in account.grants if one != grant))
        if grant.kind == "ROLE" or found != []:
            assert f"{grant.sql};" in found, grant
        else:
            inherited.add((grant.role, grant.kind, grant.privilege))
    # The transformer inherits the loader, so it holds these twice.
    assert {role for role, *_ in inherited} == {"REGULARS_TRANSFORMER"}


def test_who_owns_an_object_lacks_nothing_on_it() -> None:
    wanted = [Grant("USAGE", "DATABASE", ("regulars",), "R")]
    held = granted(Answers([Grant("OWNERSHIP", "DATABASE", ("REGULARS",), "R")]), "r")
    assert missing(wanted, held) == []
    assert missing(wanted, granted(Answers([Grant("MONITOR", "DATABASE", ("REGULARS",), "R")]), "r")) == wanted


def test_a_future_privilege_is_not_a_present_one() -> None:
    present = Grant("SELECT", "TABLE", ("D", "S"), "R")
    future = Grant("SELECT", "TABLE", ("D", "S"), "R", future=True)
    assert missing([future], granted(Answers([present]), "R")) == [future]
    assert missing([present], granted(Answers([future]), "R")) == [present]


def test_names_are_read_as_snowflake_shows_them() -> None:
    assert split_name("REGULARS.RAW") == ("REGULARS", "RAW")
    assert split_name('"my db"."a.b"."c""d"') == ("my db", "a.b", 'c"d')


def test_a_role_that_cannot_be_seen_is_said(tmp_path: Path) -> None:
    def ask(statement: str) -> list[dict[str, object]]:
        raise ConfigError("Role does not exist or not authorized")

    found = check_account(account_of(tmp_path), ask)
    assert not any(finding.is_fine for finding in found)
    assert any("cannot be seen" in finding.remedy for finding in found)


def test_every_missing_object_and_mask_is_found(tmp_path: Path) -> None:
    account = account_of(tmp_path)
    objects = list(wanted_objects(account))

    def ask(statement: str, absent: tuple[str, ...] = ()) -> list[dict[str, object]]:
        rows = []
        for _, kind, place in objects:
            inside = f' in database "{place[0].upper()}"' if len(place) > 1 else ""
            if statement == f"show {kind}{inside}" and place != absent:
                parts = [part.upper() for part in place]
                row = {
                    "name": parts[-1],
                    "database_name": parts[0],
                    "schema_name": parts[1] if len(parts) > 2 else None,
                }
                rows.append(row)
        return rows

    def names(absent: tuple[str, ...] = ()) -> set[str]:
        found = check_account(account, lambda statement: ask(statement, absent))
        return {one.what for one in found if not one.is_fine and "--step" in one.remedy}

    assert names() == set()
    for _, kind, place in objects:
        assert names(place) == {f"{kind}: {'.'.join(place)}"}
    masks = [one for one in check_account(account, ask) if one.what.startswith("mask of")]
    assert len(masks) == 12
    assert not any(one.is_fine for one in masks)
    assert masks[0].remedy.startswith('alter table "REGULARS"."RAW"."')

    def tagged(statement: str) -> list[dict[str, object]]:
        if "tag_references" not in statement:
            return ask(statement)
        columns = [mask.column.upper() for mask in account.masks if f'"{mask.table.upper()}"' in statement]
        return [{"tag_name": "PERSONAL_DATA", "column_name": column} for column in columns]

    assert all(one.is_fine for one in check_account(account, tagged) if one.what.startswith("mask of"))


def test_apply_leaves_what_is_held_and_what_is_not_published(tmp_path: Path) -> None:
    account = account_of(tmp_path)
    steps, said = render(account), list[str]()
    answers = Answers(account.grants)
    apply_steps(account, steps, answers, said.append)
    for grant in account.grants:
        assert str(grant.sql) not in answers.asked
    assert any(line.startswith("11_team_views: left for later") for line in said)
    nothing = Answers([])
    apply_steps(account, steps, nothing, said.append)
    for grant in account.grants:
        assert str(grant.sql) in nothing.asked
    assert nothing.asked.index('use role "REGULARS_LOADER"') > nothing.asked.index(
        'create role if not exists "REGULARS_LOADER"'
    )


def test_apply_says_where_it_stopped(tmp_path: Path) -> None:
    def ask(statement: str) -> list[dict[str, object]]:
        raise EngineError("not allowed", remedy="ask an administrator")

    step = Step("02_warehouses", "", ("create warehouse if not exists w",))
    with pytest.raises(EngineError, match=r"02_warehouses: create warehouse if not exists w: not allowed") as raised:
        apply_steps(account_of(tmp_path), [step], ask, print)
    assert "the same call again" in raised.value.remedy


def test_the_doctor_names_what_the_flows_lack() -> None:
    access = SnowflakeSettings(warehouse="WORK", storage_integration="LAKE")
    found = list(engine_findings(access, "REGULARS_TRANSFORMER", Answers([])))
    remedies = [finding.remedy for finding in found]
    assert len(remedies) == 27
    for statement in (
        'grant usage on database "REGULARS" to role "REGULARS_TRANSFORMER";',
        'grant create table on schema "REGULARS"."OPS" to role "REGULARS_TRANSFORMER";',
        'grant create stage on schema "REGULARS"."RAW" to role "REGULARS_TRANSFORMER";',
        'grant create schema on database "REGULARS_PUBLISHED" to role "REGULARS_TRANSFORMER";',
        'grant usage on warehouse "WORK" to role "REGULARS_TRANSFORMER";',
        'grant usage on integration "LAKE" to role "REGULARS_TRANSFORMER";',
    ):
        assert statement in remedies


def test_who_was_set_up_lacks_nothing(tmp_path: Path) -> None:
    account = account_of(tmp_path)
    found = list(engine_findings(account.settings.snowflake, "REGULARS_TRANSFORMER", Answers(account.grants)))
    assert all(finding.is_fine for finding in found if finding.what != "a virtual warehouse"), found


def test_readers_of_publications_are_asked_for(tmp_path: Path) -> None:
    def finding(**snowflake: object) -> Finding:
        account = account_of(tmp_path, snowflake=snowflake)
        (found,) = [one for one in check_account(account, Answers([])) if one.what.startswith("publications are")]
        return found

    assert not finding().is_fine
    assert "REGULARS_READER" in finding().remedy
    assert not finding(readers={"REGULARS_READER": ("marts",)}).is_fine
    assert finding(readers={"regulars_reader": ("marts", "segments", "ops")}).is_fine

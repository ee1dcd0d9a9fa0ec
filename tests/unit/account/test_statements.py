"""Every statement of the set-up: it parses, may be run twice, and holds nothing that was not quoted."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from accounts import account_of
from jinja2 import Environment
from pydantic import ValidationError
from sqlglot import exp
from typer.testing import CliRunner

from flows.__main__ import app
from regulars.account.plan import account_folder
from regulars.account.spec import read_spec
from regulars.account.sql_text import Sql, name, number, only_safe, text, word
from regulars.account.templates import public_key, render, split_statements
from regulars.contracts import read_contracts
from regulars.errors import ConfigError
from regulars.settings import PROJECT_DIR, Settings

# sqlglot knows these by their first word only: that they are right is from Snowflake's documentation, not from a parser.
BY_FIRST_WORDS = re.compile(
    r"grant |create (role|user|resource monitor|masking policy|or replace task|network policy) |"
    r"alter (warehouse|database|resource monitor|storage integration|masking policy|tag|task|network policy|user) |"
    r"alter table \S+ modify column \S+\s+set tag "
)
REPEATABLE = re.compile(
    r"use |grant |alter |create or replace |create (resource monitor|storage integration|[\w ]+?) if not exists |"
    r"insert into .* where not exists ",
    re.DOTALL,
)
HOSTILE = [
    "x'; drop database regulars; --",
    'x"; drop role sysadmin; --',
    "x\\'; drop user a; --",
    "x\\",
    "{{ 7 * 7 }}",
    "x -- y",
]


def statements(home: Path, **given: object) -> list[str]:
    return [statement for step in render(account_of(home, **given)) for statement in step.statements]  # type: ignore[arg-type]


def test_every_statement_parses_as_snowflake(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="sqlglot")
    found = statements(tmp_path)
    assert len(found) > 200
    for statement in found:
        (parsed,) = sqlglot.parse(statement, dialect="snowflake")
        assert parsed is not None
        if isinstance(parsed, exp.Command):
            assert BY_FIRST_WORDS.match(statement), statement


def test_every_statement_may_be_run_again(tmp_path: Path) -> None:
    assert [statement for statement in statements(tmp_path) if not REPEATABLE.match(statement)] == []


def test_nothing_is_dropped_or_opened_to_everybody(tmp_path: Path) -> None:
    for statement in statements(tmp_path):
        assert not re.match(r"drop|truncate|revoke|delete", statement)
        assert not re.search(r'to role "?public|grant all ', statement, re.IGNORECASE)


def test_statements_need_no_optional_setting(tmp_path: Path) -> None:
    plain = {"storage_role_arn": None, "allowed_networks": [], "masking": False, "dashboard": None}
    found = statements(
        tmp_path, spec=plain, landing_url=None, delivery_url=None, snowflake={"storage_integration": None}
    )
    assert not [one for one in found if re.search("integration|network policy|masking|set tag", one)]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_stays_one_token(value: str) -> None:
    (literal,) = sqlglot.tokenize(text(value), dialect="snowflake")
    assert literal.token_type.name == "STRING"
    assert literal.text == value
    (quoted,) = sqlglot.tokenize(name(value), dialect="snowflake")
    assert quoted.token_type.name == "IDENTIFIER"
    assert quoted.text == value.upper()


@pytest.mark.parametrize("value", ["a;\nb", "a\x00", "a\u2028b", ""])
def test_what_could_end_a_statement_is_refused(value: str) -> None:
    with pytest.raises(ConfigError):
        name(value)
    if value:
        with pytest.raises(ConfigError):
            text(value)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_settings_are_refused_or_quoted(value: str, tmp_path: Path) -> None:
    for setting in ("database", "published_database", "warehouse", "role", "storage_integration"):
        with pytest.raises(ValidationError):
            Settings(_env_file=None, home=tmp_path, snowflake={setting: value})
    before = statements(tmp_path)
    spec = {"loader": {"name": value}}
    after = statements(tmp_path, spec=spec, landing_url=f"s3://acme/{value}", delivery_url=f"s3://acme/{value}")
    assert len(after) == len(before)
    for statement in after:
        assert len(sqlglot.parse(statement, dialect="snowflake")) == 1
        rest = statement.replace(name(value), "").replace(text(f"s3://acme/{value}/")[1:-1], "")
        for place in ("marketing", "customer-success"):
            rest = rest.replace(text(f"s3://acme/{value}/{place}/")[1:-1], "")
        assert "drop" not in rest


def test_the_integration_covers_where_files_on_a_stage_lie(tmp_path: Path) -> None:
    spec = {"read_locations": ["s3://exports/it's/"]}
    covering = [one for one in statements(tmp_path, spec=spec) if "storage_allowed_locations" in one]
    assert covering and all("'s3://acme/deliveries/', 's3://exports/it''s/')" in one for one in covering)


def test_tables_that_are_there_already_may_be_read_and_no_more(tmp_path: Path) -> None:
    spec = {"read_tables": ["REFERENCE.DIM_PROJECT", "CORE.PUBLIC.REGIONS"]}
    new = [one for one in statements(tmp_path, spec=spec) if '"REFERENCE"' in one or '"CORE"' in one]
    assert [one.split(" to role ")[0] for one in new] == [
        'grant usage on database "CORE"',
        'grant usage on schema "REGULARS"."REFERENCE"', 'grant select on table "REGULARS"."REFERENCE"."DIM_PROJECT"',
        'grant usage on schema "CORE"."PUBLIC"', 'grant select on table "CORE"."PUBLIC"."REGIONS"',
    ]  # fmt: skip
    assert all('"REGULARS_LOADER"' in one for one in new)


def test_templates_take_nothing_that_was_not_made_safe(tmp_path: Path) -> None:
    environment = Environment(finalize=only_safe, autoescape=True)
    with pytest.raises(TypeError):
        environment.from_string("drop role {{ role }}").render(role="x")
    assert environment.from_string("{{ role }}").render(role=number(5)) == "5"
    with pytest.raises(ConfigError):
        word("SMALL; drop")
    # `statement` marks text as safe: in templates it may only take their own text, or the engine's own DDL.
    for path in account_folder(account_of(tmp_path).settings).glob("*.sql"):
        marked = set(re.findall(r"statement\(([^)]*)\)", path.read_text()))
        assert marked <= {'", "', "kind", "table"}, path


def test_statements_end_where_a_line_ends() -> None:
    assert list(split_statements("-- title\na;\nb ';' c;\n\n-- note;\nd\n")) == ["a", "b ';' c", "d"]


def test_a_private_key_is_not_taken_for_a_public_one(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n")
    with pytest.raises(ConfigError, match="no public key"):
        public_key(key)
    key.write_text("-----BEGIN PUBLIC KEY-----\nMIIB\nIjAN+/=\n-----END PUBLIC KEY-----\n")
    assert public_key(key) == "MIIBIjAN+/="


def test_masks_are_the_personal_columns_of_the_contracts_and_the_raw_forms_of_quarantine(tmp_path: Path) -> None:
    account = account_of(tmp_path)
    contracts = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")
    personal = {
        ("RAW", table.upper(), column.upper()) for table, one in contracts.items() for column in one.personal_columns
    }
    assert len(personal) == 10
    masked = set()
    for statement in statements(tmp_path):
        if "set tag" in statement:
            (place,) = re.findall(r'alter table "REGULARS"\."(\w+)"\."(\w+)" modify column "(\w+)"', statement)
            masked.add(place)
    quarantine = {("QUARANTINE", "_REJECTS", column) for column in ("RAW", "REASON")}
    assert masked == personal | quarantine
    # A column that becomes personal is masked without a change elsewhere.
    profile = contracts["user_profile"]
    columns = tuple(
        column.model_copy(update={"pii": "id"}) if column.name == "birth_year" else column for column in profile.columns
    )
    changed = account.contracts | {"user_profile": profile.model_copy(update={"columns": columns})}
    more = type(account)(account.settings, account.spec, changed, account.teams, account.places)
    assert {mask.column for mask in more.masks} - {mask.column for mask in account.masks} == {"birth_year"}
    assert more.masked_types == ("NUMBER", "VARCHAR")


def test_roles_read_what_their_exposures_name(tmp_path: Path) -> None:
    account = account_of(tmp_path)
    assert set(account.limited_teams) == {"Marketing", "Customer Success", "Product"}
    views = {team: {view.model for view in views} for team, views in account.teams.items()}
    assert views["Marketing"] == {"highly_engaged", "membership"}
    assert views["Product"] == {"feature_adoption_by_region"}
    by_role = {role: {grant.place[0] for grant in account.grants if grant.role == role} for role in account.all_roles}
    for team in ("MARKETING", "CUSTOMER_SUCCESS", "PRODUCT"):
        assert by_role[f"REGULARS_{team}"] == {"REGULARS_PUBLISHED", "REGULARS_READ"}
    reader = [grant for grant in account.grants if grant.role == "REGULARS_READER"]
    assert not [one for one in reader if one.privilege == "USAGE" and one.place[0] == "REGULARS"], "no way into raw"


def test_an_account_file_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "account.yml"
    file.write_text("warehouses: {load: {size: HUGE}}\ncredit_quota: 1\nloader: {name: a}\n")
    with pytest.raises(ConfigError, match=r"account.yml: warehouses.load.size"):
        read_spec(file)


def test_layers_that_share_a_warehouse_get_the_largest_size(tmp_path: Path) -> None:
    account = account_of(tmp_path, snowflake={"warehouse": "ALL_OF_IT"})
    assert {one.name: one.size for one in account.warehouses} == {"ALL_OF_IT": "SMALL", "REGULARS_READ": "XSMALL"}


def test_only_made_text_is_safe() -> None:
    assert only_safe(Sql("x")) == "x"
    with pytest.raises(TypeError):
        only_safe("x")


def test_the_command_prints_every_step_but_the_first_look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path))
    monkeypatch.setenv("REGULARS_SNOWFLAKE__PASSWORD", "canary-4711")

    def call(*words: str) -> Any:
        return CliRunner().invoke(app, ["snowflake", "setup", *words])

    printed = call("--print")
    assert printed.exit_code == 0
    assert re.findall(r"^-- (\d\d)_", printed.output, re.MULTILINE) == [f"{number:02}" for number in range(1, 12)]
    assert "canary" not in printed.output
    looked = call("--print", "--step", "20")
    assert looked.exit_code == 0 and "broken_rules" in looked.output.lower()
    for wrong in (["--print", "--check"], [], ["--print", "--step", "99"]):
        assert isinstance(call(*wrong).exception, ConfigError)

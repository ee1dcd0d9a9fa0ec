"""Every way in which reading a source can fail, over marked data: what is said names places, never a value."""

from __future__ import annotations

import json
import logging
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.commands.quarantine import without_value
from regulars.contracts import read_contracts
from regulars.engine import local_engine
from regulars.errors import RegularsError
from regulars.landing import land
from regulars.quality.quarantine import replay
from regulars.run import Run
from regulars.settings import PROJECT_DIR, Settings
from regulars.sources.config import Sources
from regulars.sources.postgres_session import shared_snapshot
from tests.integration.privacy.canaries import EVERYTHING, PERSONAL, SECRETS, Search
from tests.integration.privacy.conftest import s3_marks

DAY = date(2026, 1, 5)
RUN = Run("run", "test", DAY, datetime(2026, 1, 6, 3))
CONTRACTS = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")
PROFILE = CONTRACTS["user_profile"]
SEARCH = Search(EVERYTHING)
NAMES = list(PROFILE.by_name)
PERSON = {
    "user_id": "u1", "email": f"{PERSONAL['email']}@example.org", "full_name": PERSONAL["name"], "phone": f"+49 {PERSONAL['phone']}",
    "postal_address": PERSONAL["address"], "birth_year": "1980", "gender": "other", "account_status": "active", "tier": "gold",
    "region_code": "N", "signed_up_on": "2025-01-01", "marketing_consent": "true", "support_consent": "true",
    "updated_at": "2026-01-04 00:00:00",
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None, home=tmp_path / "home", pseudonym_key=SECRETS["pseudonymkey"], s3=s3_marks("http://127.0.0.1:1")
    )


def sources(folder: Path, connection: dict[str, Any], entry: dict[str, Any]) -> Sources:
    return Sources.model_validate(
        {"connections": {"crm": connection}, "tables": {"user_profile": {"from": "crm", **entry}}, "base_dir": folder}
    )


def said_by(action: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> str:
    """What an action that must fail says, which must hold no mark; nor may what it printed or logged."""
    with caplog.at_level(logging.DEBUG), pytest.raises(RegularsError) as caught:
        action()
    printed = capfd.readouterr()
    for text in (str(caught.value), repr(caught.value), caplog.text, printed.out, printed.err):
        assert SEARCH.in_text(text) == set(), text
    caught.value.__context__ = caught.value.__cause__ = None  # the step of a flow takes them away: see test_flows
    assert SEARCH.in_error(caught.value) == set(), str(caught.value)
    return str(caught.value)


ADDRESSES = {
    "wrong password": "postgresql://reader:not{pw}@/{database}?host={host}",
    "unreachable": "postgresql://reader:{pw}@127.0.0.1:1/db?connect_timeout=2",
    "no such host": "postgresql://reader:{pw}@nowhere.invalid/db?connect_timeout=2",
    "no such database": "postgresql://reader:{pw}@/nodb?host={host}",
    "no such role": "postgresql://nobody:{pw}@/{database}?host={host}",
    "broken brackets": "postgresql://reader:{pw}@[::1/db",
    "broken percent": "postgresql://reader:%zz{pw}@host/db",
    "slash in password": "postgresql://reader:a/{pw}@host/db",
    "at in password": "postgresql://reader:a@{pw}@host/db",
    "question mark in password": "postgresql://reader:a?{pw}@host/db",
    "space in password": "host=/x password=a {pw}",
    "unknown option": "postgresql://reader:{pw}@/db?pass={pw}",
    "port": "postgresql://reader:x@host:{pw}/db",
    "quote": "host=x password='{pw}",
    "another scheme": "mysql://reader:{pw}@host/db",
    "only the password": "{pw}",
}


@pytest.mark.parametrize("case", ADDRESSES)
def test_a_connection_that_fails_never_shows_its_address(
    case: str, here: Settings, tmp_path: Path, postgres: dict[str, str], caplog: Any, capfd: Any
) -> None:
    address = ADDRESSES[case].format(pw=SECRETS["pgpassword"], **postgres)
    found = sources(tmp_path, {"kind": "postgres", "url": address}, {"table": "public.user_profile"})
    said_by(lambda: land(PROFILE, found, here, RUN), caplog, capfd)
    said_by(lambda: shared_snapshot(found.connections["crm"]).__enter__(), caplog, capfd)
    assert SEARCH.in_text(f"{found!r} {found.connections}") == set()


def query(expression: str, where: str = "true") -> dict[str, Any]:
    """The whole table with an expression in the place of user_id."""
    listed = ", ".join(NAMES[1:])
    return {"query": f"select ({expression})::text as user_id, {listed} from user_profile where {where}"}


TABLE = {"table": "public.user_profile"}
DIGITS = "regexp_replace(phone, '[^0-9]', '', 'g')"
QUERIES = {
    "missing table": {"table": "public.users"},
    "missing column": query("nothing"),
    "missing function": query("nothing(email)"),
    "text to number": query("email::int"),
    "number too large": query(f"({DIGITS} || '99999999999')::int"),
    "numeric overflow": query(f"({DIGITS})::numeric(1)"),
    "in a condition": query("user_id", "email::int2 > 1"),
    "date": query("to_date(email, 'YYYY-MM-DD')"),
    "timestamp": query("('2026-13-45 ' || email)::timestamp"),
    "time zone": query("now() at time zone email"),
    "enum": query("email::mood"),
    "json": query("email::json"),
    "array": query("('{' || email)::text[]"),
    "uuid": query("full_name::uuid"),
    "raised": query("complain(email)"),
    "raised in known words": query("complain('relation ' || email || ' does not exist')"),
    "regular expression": query("'x' ~ ('(' || email)"),
    "setting": query("current_setting(email)"),
    "decoding": query("decode(email, 'hex')"),
    "window": query("user_id", "email::date > {window_start}"),
    "source_where": {**TABLE, "source_where": "email::int > 1"},
    "where": {**TABLE, "where": "cast(email as integer) > 1"},
    "expression": {**TABLE, "columns": {"full_name": "cast(cast(email as integer) as varchar)"}},
    "strptime": {**TABLE, "columns": {"full_name": "cast(strptime(email, '%d') as varchar)"}},
    "error": {**TABLE, "columns": {"full_name": "error(email)"}},
    "json in an expression": {**TABLE, "columns": {"full_name": "json_extract_string(email, '$.a')"}},
    "list": {**TABLE, "columns": {"full_name": "cast(email as integer[])::varchar"}},
}  # fmt: skip


@pytest.mark.parametrize("case", QUERIES)
def test_a_query_that_fails_on_a_value_does_not_say_the_value(
    case: str, here: Settings, tmp_path: Path, url: str, caplog: Any, capfd: Any
) -> None:
    found = sources(tmp_path, {"kind": "postgres", "url": url}, QUERIES[case])
    assert said_by(lambda: land(PROFILE, found, here, RUN), caplog, capfd)


def csv(*records: dict[str, str], header: bool = True) -> str:
    lines = [",".join(NAMES)] if header else []
    return "\n".join([*lines, *(",".join(f'"{record[name]}"' for name in NAMES) for record in records)]) + "\n"


FILES: dict[str, tuple[str, bytes | str, dict[str, Any]]] = {
    "no header": ("p.csv", csv(PERSON, PERSON, header=False), {}),
    "no header, mapped": ("p.csv", csv(PERSON, PERSON, header=False), {"columns": {"user_id": "Kunde"}}),
    "no header, an expression": ("p.csv", csv(PERSON, PERSON, header=False), {"columns": {"user_id": "lower(Kunde)"}}),
    "a surplus column": ("p.csv", csv(PERSON).replace("user_id,", f"user_id,{PERSON['email']},", 1), {}),
    "an open quote": ("p.csv", csv(PERSON) + f'"{PERSON["email"]}, x\n' * 30, {}),
    "wrong delimiter": ("p.csv", csv(PERSON), {"read": {"delimiter": ";"}}),
    "wrong encoding": ("p.csv", csv(*[PERSON] * 60).replace("gold", "g\u00f6ld").encode("latin-1"), {}),
    "a keyed document": ("p.json", json.dumps({PERSON["email"]: PERSON}), {}),
    "broken JSON": ("p.json", json.dumps([PERSON, PERSON])[:-40], {}),
    "text in place of JSON": ("p.json", f"[{PERSON['email']}]", {}),
    "no Parquet": ("p.parquet", PERSON["email"] * 50, {}),
    "no workbook": ("p.xlsx", PERSON["email"] * 50, {}),
    "a folder": ("p.csv/x", "", {}),
    "an unknown ending": ("p.zqz", PERSON["email"], {}),
    "a cast in a query": ("p.csv", csv(PERSON), {"query": "select cast(email as int) as user_id from p", "files": {"p": "p.csv"}}),
    "a bad query": ("p.csv", csv(PERSON, header=False), {"query": "select nothing from p", "files": {"p": "p.csv"}}),
    "a cast in where": ("p.csv", csv(PERSON), {"where": "cast(email as date) > date '2020-01-01'"}),
    "not an expression": ("p.csv", csv(PERSON), {"columns": {"full_name": "lower(email"}}),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_cannot_be_read_is_not_quoted(
    case: str, here: Settings, tmp_path: Path, caplog: Any, capfd: Any
) -> None:
    name, content, entry = FILES[case]
    path = tmp_path / "files" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    entry = entry if "query" in entry else {"path": name.split("/")[0], **entry}
    found = sources(tmp_path, {"kind": "files", "path": str(tmp_path / "files")}, entry)
    assert said_by(lambda: land(PROFILE, found, here, RUN), caplog, capfd)


def test_what_the_command_line_lists_of_a_row_with_shifted_cells_quotes_nothing(here: Settings, tmp_path: Path) -> None:
    """An unquoted comma puts personal values into columns that hold none by contract."""
    values = [PERSON[name] for name in NAMES]
    shifted = dict(zip(NAMES, [values[0], "Doe", *values[1:-1]], strict=True))
    (tmp_path / "p.csv").write_text(csv(PERSON, shifted, {**PERSON, "user_id": "u2", "birth_year": PERSONAL["name"]}))
    found = sources(tmp_path, {"kind": "files", "path": str(tmp_path)}, {"path": "p.csv"})
    manifest = land(PROFILE, found, here, RUN).manifest
    assert (manifest.rows_loaded, manifest.rows_quarantined) == (1, 2)
    assert SEARCH.in_text(manifest.model_dump_json()) == set()
    rejects = f"{here.landing_root}/{manifest.folder}/{manifest.rejects[0].name}"
    reasons = [reason for (reason,) in duckdb.sql(f"select reason from '{rejects}'").fetchall()]
    assert SEARCH.in_text(str(reasons)), "quarantine itself keeps what it was"
    assert SEARCH.in_text(str([without_value(reason) for reason in reasons])) == set()
    assert without_value("tier: a is not b is none of gold, silver") == "tier: is none of gold, silver"


def test_a_replay_that_fails_is_as_silent(here: Settings, tmp_path: Path, caplog: Any, capfd: Any) -> None:
    (tmp_path / "p.csv").write_text(csv(PERSON, {**PERSON, "user_id": "u2", "birth_year": PERSONAL["name"]}))
    land(PROFILE, sources(tmp_path, {"kind": "files", "path": str(tmp_path)}, {"path": "p.csv"}), here, RUN)
    broken = {"path": "p.csv", "columns": {"birth_year": "cast(cast(full_name as integer) as varchar)"}}
    found = sources(tmp_path, {"kind": "files", "path": str(tmp_path)}, broken)
    said_by(lambda: replay(PROFILE, found, here, RUN, DAY), caplog, capfd)


@pytest.mark.parametrize("status", [403, 404, 400, 501])
@pytest.mark.parametrize("place", ["source", "landing"])
def test_s3_that_repeats_the_credentials_in_its_answer_is_not_repeated(
    status: int, place: str, here: Settings, tmp_path: Path, echo: Any, caplog: Any, capfd: Any
) -> None:
    echo.status = status
    (tmp_path / "p.csv").write_text(csv(PERSON))
    settings = here.model_copy(update={"s3": here.s3.model_copy(update={"endpoint": echo.url})})
    folder = "s3://bucket/in" if place == "source" else str(tmp_path)
    if place == "landing":
        settings = settings.model_copy(update={"landing_url": "s3://bucket/landing"})
    found = sources(tmp_path, {"kind": "files", "path": folder}, {"path": "p.csv"})
    said_by(lambda: land(PROFILE, found, settings, RUN), caplog, capfd)
    assert echo.requests
    assert SEARCH.in_text(repr(settings)) == set()


@pytest.mark.parametrize(
    "options",
    [
        {"secret_access_key": int("9" * 18)},
        {"access_key_id": 123456789123456789},
        {"session_token": ["x", SECRETS["s3token"]]},
        {"endpoint": f"http://user:{SECRETS['urlpart']}@127.0.0.1:1"},
        {"region": {"a": SECRETS["environment"]}},
    ],
)
def test_wrong_options_of_a_connection_are_not_echoed(
    options: dict[str, Any], here: Settings, tmp_path: Path, caplog: Any, capfd: Any
) -> None:
    found = sources(tmp_path, {"kind": "files", "path": "s3://bucket/in", "options": options}, {"path": "p.csv"})
    said = said_by(lambda: land(PROFILE, found, here, RUN), caplog, capfd)
    assert "9" * 18 not in said
    assert "123456789123456789" not in said


def test_a_timeout_that_is_no_number_is_not_echoed(
    here: Settings, tmp_path: Path, url: str, caplog: Any, capfd: Any
) -> None:
    connection = {"kind": "postgres", "url": url, "options": {"statement_timeout_seconds": SECRETS["environment"]}}
    found = sources(tmp_path, connection, {"table": "public.user_profile"})
    said_by(lambda: land(PROFILE, found, here, RUN), caplog, capfd)


def test_the_password_of_a_database_is_not_part_of_sql_text(here: Settings, tmp_path: Path, url: str) -> None:
    """The engine of this process logs every statement while a table lands."""
    found = sources(tmp_path, {"kind": "postgres", "url": url}, {"table": "public.user_profile"})
    spool = here.home_dir / "spool" / "log"
    spool.mkdir(parents=True)
    with local_engine(here, spool) as engine:
        engine.execute("call enable_logging('QueryLog')")
        assert land(PROFILE, found, here, RUN).manifest.rows_read == 40
        statements = str(engine.execute("select message from duckdb_logs").fetchall())
        engine.execute("call disable_logging()")
        assert "attach" in statements
        assert Search(SECRETS).in_text(statements) == set()
        assert engine.execute("select count(*) from duckdb_secrets() where type = 'postgres'").fetchone() == (0,)

"""Settings, sources.yml and the command line: whatever is wrong with them, no secret in them is shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from regulars.contracts import read_contracts
from regulars.engine import allow_s3, local_engine
from regulars.errors import ConfigError
from regulars.settings import PROJECT_DIR, S3Settings, Settings, load_settings
from regulars.sources.config import read_sources
from tests.integration.privacy.canaries import EVERYTHING, SECRETS, Search
from tests.integration.privacy.conftest import s3_marks

SEARCH = Search(EVERYTHING)
CONTRACTS = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")
PASSWORD, URL = SECRETS["pgpassword"], f"postgresql://reader:{SECRETS['pgpassword']}@host/db"


@pytest.mark.parametrize(
    "variables",
    [
        {"REGULARS_S3": f'{{"secret_access_key": "{SECRETS["s3secret"]}"'},
        {"REGULARS_S3": json.dumps({"secret_access_key": [SECRETS["s3secret"]]})},
        {"REGULARS_S3": json.dumps({"session_token": {"a": SECRETS["s3token"]}, "region": 7})},
        {"REGULARS_S3": json.dumps([SECRETS["s3keyid"]])},
        {"REGULARS_S3__ENDPOINT": f"https://{SECRETS['s3keyid']}:{SECRETS['s3secret']}@minio:9000"},
        {"REGULARS_LANDING_URL": f"s3://{SECRETS['s3keyid']}:{SECRETS['s3secret']}@bucket/landing"},
        {"REGULARS_DELIVERY_URL": f"s3://{SECRETS['s3keyid']}@bucket/deliveries"},
        {"REGULARS_THREADS": SECRETS["environment"]},
        {"REGULARS_LOCK_TIMEOUT_SECONDS": SECRETS["environment"]},
        {"REGULARS_WAREHOUSE": URL},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_settings_that_are_wrong_are_not_echoed(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert SEARCH.in_text(f"{caught.value} {caught.value!r}") == set()
    assert next(iter(variables)) in str(caught.value)


def test_settings_show_no_secret_of_theirs() -> None:
    settings = Settings(_env_file=None, pseudonym_key=SECRETS["pseudonymkey"], s3=s3_marks("http://127.0.0.1:1"))
    assert SEARCH.in_text(f"{settings!r} {settings} {settings.s3!r} {settings.s3}") == set()


TABLE = "tables: {user_profile: {from: crm, table: a.b}}\n"
DOCUMENTS = {
    "no YAML": f"connections:\n  crm: {{kind: postgres, url: '{URL}\n{TABLE}",
    "tabs": f"connections:\n\tcrm: {{kind: postgres, url: {URL}}}\n{TABLE}",
    "a list": f"- {URL}\n",
    "a text": f"{URL}\n",
    "a number": "7\n",
    "a connection that is its url": f"connections: {{crm: '{URL}'}}\n{TABLE}",
    "a table from a url": f"connections: {{}}\ntables: {{user_profile: {{from: '{URL}', table: a.b}}}}\n",
    "a kind that is a url": f"connections: {{crm: {{kind: '{URL}'}}}}\n{TABLE}",
    "a surplus field": f"connections: {{crm: {{kind: postgres, password: {PASSWORD}}}}}\n{TABLE}",
    "a path with keys": f"connections: {{crm: {{kind: files, path: 's3://{SECRETS['s3keyid']}:{PASSWORD}@bucket/x'}}}}\n{TABLE}",
    "a filled path with keys": f"connections: {{crm: {{kind: files, path: 's3://${{MARK}}@bucket/x'}}}}\n{TABLE}",
    "a list in place of a url": f"connections: {{crm: {{kind: postgres, url: ['{URL}']}}}}\n{TABLE}",
    "options that are a text": f"connections: {{crm: {{kind: postgres, options: {PASSWORD}}}}}\n{TABLE}",
    "a required that is no boolean": f"connections: {{}}\ntables: {{user_profile: {{from: crm, required: {PASSWORD}}}}}\n",
    "a variable that is not set": f"connections: {{crm: {{kind: postgres, url: '{URL}${{NOBODY_SET_THIS}}'}}}}\n{TABLE}",
    "a block without Prefect": f"connections: {{crm: {{kind: postgres, url: '{URL}{{{{ prefect.blocks.secret.x }}}}'}}}}\n{TABLE}",
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_a_wrong_sources_yml_is_not_quoted(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARK", SECRETS["environment"])
    path = tmp_path / "sources.yml"
    path.write_text(DOCUMENTS[case])
    with pytest.raises(ConfigError) as caught:
        read_sources(path, CONTRACTS)
    assert SEARCH.in_text(f"{caught.value} {caught.value!r}") == set()


def test_no_key_of_s3_is_part_of_sql_text(settings: Settings, tmp_path: Path) -> None:
    """The engine logs every statement here: the keys reach it as bound values."""
    spool = tmp_path / "spool" / "one"
    spool.mkdir(parents=True)
    with local_engine(settings, spool) as engine:
        engine.execute("call enable_logging('QueryLog')")
        allow_s3(engine, S3Settings.model_validate(s3_marks("http://127.0.0.1:1")))
        statements = str(engine.execute("select message from duckdb_logs").fetchall())
        engine.execute("call disable_logging()")
        assert "create or replace secret" in statements
        assert SEARCH.in_text(statements) == set()
        assert engine.execute("select count(*) from duckdb_secrets() where name = 'regulars_s3'").fetchone() == (1,)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["validate", "--json"], 0),
        (["validate"], 0),
        (["status"], 2),
        (["sql", "select 1", "--json"], 2),
        (["plan", "daily-loyalty-merge", "--as-of", "2026-01-05", "--json"], 1),
        (["run", "ingest", "--as-of", "2026-01-05", "--set", "tables=user_profile", "--json"], 1),
        (["quarantine", "list", "--json"], 0),
        (["quarantine", "replay", "--table", "user_profile", "--as-of", "2026-01-05"], 0),
    ],
    ids=lambda value: "-".join(value[:2]) if isinstance(value, list) else "",
)
@pytest.mark.long
def test_commands_over_a_source_that_fails_print_no_secret(
    arguments: list[str], status: int, tmp_path: Path, postgres: dict[str, str]
) -> None:
    """A process of its own each, with everything that Prefect can log switched on; then all of its home is searched."""
    connection = {"kind": "postgres", "url": "${CRM_URL}"}
    document = {
        "connections": {"crm": connection},
        "tables": {"user_profile": {"from": "crm", "table": "public.nowhere"}},
    }
    (tmp_path / "sources.yml").write_text(json.dumps(document))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "REGULARS_"))},
        "CRM_URL": f"postgresql://reader:{PASSWORD}@/{postgres['database']}?host={postgres['host']}",
        "REGULARS_HOME": str(tmp_path / "home"), "REGULARS_SOURCES": str(tmp_path / "sources.yml"),
        "REGULARS_PSEUDONYM_KEY": SECRETS["pseudonymkey"], "PREFECT_LOGGING_LEVEL": "DEBUG", "PREFECT_LOGGING_TO_API_ENABLED": "true",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        **{f"REGULARS_S3__{name.upper()}": value for name, value in s3_marks("http://127.0.0.1:1").items()},
    }  # fmt: skip
    command = [sys.executable, "-m", "flows", *arguments]
    done = subprocess.run(command, env=environment, cwd=PROJECT_DIR, capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stderr[-2000:]
    assert SEARCH.in_text(done.stdout + done.stderr) == set()
    assert "Traceback" not in done.stdout or arguments[0] == "run"
    assert SEARCH.in_folder(tmp_path / "home") == {} if (tmp_path / "home").exists() else True

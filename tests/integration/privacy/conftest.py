"""A company whose every secret and personal value is a mark: a PostgreSQL that asks for its password, an S3 that echoes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from regulars.postgres.server import start_server, stop_server
from tests.integration.privacy.canaries import PERSONAL, SECRETS
from tests.integration.privacy.echo_server import EchoServer

PROFILE = """
create table user_profile (user_id text, email text, full_name text, phone text, postal_address text, birth_year int, gender text,
    account_status text, tier text, region_code text, signed_up_on date, marketing_consent bool, support_consent bool,
    updated_at timestamp);
"""


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Parts of the address of a database whose account `reader` has a mark for a password."""
    home = tmp_path_factory.mktemp("server")
    server = start_server(home)
    address = server.uri()
    with psycopg.connect(address, autocommit=True) as session:
        session.execute(f"create role reader login password '{SECRETS['pgpassword']}'")
        session.execute(PROFILE)
        for number in range(40):
            session.execute(
                "insert into user_profile values (%s, %s, %s, %s, %s, 1980, 'other', 'active', %s, 'N', '2025-01-01', %s, %s, '2026-01-04')",
                [f"u{number}", f"{PERSONAL['email']}{number}@example.org", f"{PERSONAL['name']} {number}",
                 f"+49 {PERSONAL['phone']}", f"{PERSONAL['address']} {number}", ["gold", "silver", "bronze"][number % 3], number % 5 > 0,
                 number % 4 > 0],
            )  # fmt: skip
        session.execute(f"create type mood as enum ('{PERSONAL['notes']}x')")
        session.execute(
            "create function complain(text) returns int language plpgsql as $$ begin raise exception 'bad value %', $1; end $$"
        )
        session.execute("grant select on all tables in schema public to reader")
        rules = Path(home / "postgres" / "pg_hba.conf")
        rules.write_text("local all reader scram-sha-256\n" + rules.read_text())
        session.execute("select pg_reload_conf()")
        host, database = session.info.host, session.info.dbname
    yield {"host": host, "database": database, "superuser": address}
    stop_server(home)


@pytest.fixture
def url(postgres: dict[str, str]) -> str:
    return f"postgresql://reader:{SECRETS['pgpassword']}@/{postgres['database']}?host={postgres['host']}"


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    """Something that is not S3 but answers like it, with an error that repeats the request, credentials and all."""
    server = EchoServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def no_leftovers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("REGULARS_", "AWS_"))]:
        monkeypatch.delenv(name)


def s3_marks(endpoint: str) -> dict[str, Any]:
    """Access to S3 that is all marks."""
    return {
        "endpoint": endpoint, "access_key_id": SECRETS["s3keyid"], "secret_access_key": SECRETS["s3secret"], "session_token": SECRETS["s3token"],
    }  # fmt: skip

"""How a PostgreSQL source is reached: timeouts, keepalives, and a password that is in no SQL text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from regulars.engine import quote
from regulars.errors import ConfigError
from regulars.sources.config import Connection
from regulars.sources.driver_errors import rewritten

# A server whose machine or network is gone is noticed after two minutes; the system's own default is two hours.
KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 15, "keepalives_count": 4, "tcp_user_timeout": 120_000}


@contextmanager
def connect(connection: Connection) -> Iterator[psycopg.Connection[Any]]:
    """A session with the connection's timeouts. Raises TransientError where the server cannot be reached."""
    try:
        with psycopg.connect(conninfo(connection)) as session:
            yield session
    except psycopg.Error as error:
        said = f"ERROR: {error.diag.message_primary}" if error.diag.message_primary else str(error)
        raise rewritten(place_of(connection), said) from None


def conninfo(connection: Connection) -> str:
    """What libpq is told: the connection's url, with what every read-only session of ours has. Raises ConfigError."""
    if not connection.url:
        raise ConfigError(
            "sources.yml: a connection of kind postgres needs url", remedy='add url: "${NAME_OF_THE_VARIABLE}"'
        )
    options = [
        "-c default_transaction_read_only=on",
        "-c synchronize_seqscans=off",
        "-c max_parallel_workers_per_gather=0",
    ]
    timeout = connection.options.get("statement_timeout_seconds")
    if timeout:
        options.append(f"-c statement_timeout={_milliseconds(timeout)}")
    try:
        given = conninfo_to_dict(connection.url)
        if any("@" in str(given.get(part) or "") for part in ("host", "hostaddr", "port", "dbname")):
            raise psycopg.ProgrammingError("part of a password stands where the server should")
        options.insert(0, str(given.get("options") or ""))
        return make_conninfo(
            connection.url,
            **{name: given.get(name) or seconds for name, seconds in KEEPALIVES.items()},
            options=" ".join(options).strip(),
            connect_timeout=given.get("connect_timeout") or 15,
            application_name=given.get("application_name") or "regulars",
        )
    except psycopg.ProgrammingError:
        raise ConfigError(
            "sources.yml: the url of a connection of kind postgres is not one",
            remedy="postgresql://user:password@host/db, with @ : / ? # % of the password written as %40 %3A %2F %3F %23 %25",
        ) from None


def _milliseconds(seconds: object) -> int:
    try:
        return int(float(str(seconds)) * 1000)
    except (ValueError, OverflowError):
        raise ConfigError(
            "sources.yml: statement_timeout_seconds of a connection is not a number", remedy="give seconds, such as 600"
        ) from None


def attach(engine: duckdb.DuckDBPyConnection, connection: Connection, database: str) -> None:
    """Attach as `database`, with the password in a secret of that name: bound, and never part of SQL text."""
    parts = conninfo_to_dict(conninfo(connection))
    password = parts.pop("password", None)
    engine.execute(f"create secret {database} (type postgres, password $password)", {"password": str(password or "")})
    address = make_conninfo("", **parts)
    engine.execute(f"attach {quote(address)} as {database} (type postgres{f', secret {database}' if password else ''})")


def place_of(connection: Connection) -> str:
    """Host and database, for messages."""
    parts = conninfo_to_dict(connection.url or "")
    return f"PostgreSQL at {parts.get('host') or 'localhost'}/{parts.get('dbname') or ''}"

"""Sessions with a PostgreSQL database: addresses, timeouts, snapshots that several sessions share, and their end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import duckdb
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from regulars.engine import quote
from regulars.errors import ConfigError
from regulars.sources.config import Connection, Sources
from regulars.sources.driver_errors import rewritten
from regulars.sources.silence import Watch, watched

# A server whose machine or network is gone is noticed after two minutes; the system's own default is two hours.
KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 15, "keepalives_count": 4, "tcp_user_timeout": 120_000}

# One that lives and sends nothing is given up after this many seconds, unless silence_timeout_seconds says otherwise.
SILENCE = 600
MOST_SECONDS = 2**31 / 1000  # that PostgreSQL takes


@contextmanager
def connect(connection: Connection, watch: Watch | None = None) -> Iterator[psycopg.Connection[Any]]:
    """A session with the connection's timeouts, under `watch` if that is given.

    Raises TransientError where the server cannot be reached, or falls silent."""
    try:
        with (
            psycopg.connect(session_address(connection)) as session,
            watch.following(session.fileno()) if watch else nullcontext(),
        ):
            yield session
    except psycopg.Error as error:
        silent = watch.error(_place(connection)) if watch else None
        if silent:
            raise silent from None
        said = f"ERROR: {error.diag.message_primary}" if error.diag.message_primary else str(error)
        raise rewritten(_place(connection), said) from None


@contextmanager
def shared_snapshot(connection: Connection) -> Iterator[str]:
    """The identifier of a snapshot that lives as long as the context: every table read with it shows one moment.

    Hand it on as `connection.options["snapshot"]` (see `with_snapshot`).
    """
    with shared_session(connection) as (_, snapshot):
        yield snapshot


@contextmanager
def shared_session(connection: Connection, snapshot: str = "") -> Iterator[tuple[psycopg.Connection[Any], str]]:
    """A session that shows the given snapshot, or one of its own that others can join while the context lives; and its identifier."""
    with connect(connection) as session:
        with watch_of(connection) as watch, watch.following(session.fileno()):
            session.execute("set transaction isolation level repeatable read, read only")
            if snapshot:
                session.execute(_joining(snapshot).encode())
            else:
                [[snapshot]] = session.execute("select pg_export_snapshot()").fetchall()
        yield session, snapshot


def with_snapshot(sources: Sources, connection: str, snapshot: str) -> Sources:
    """The same sources, with tables of `connection` read in `snapshot`."""
    old = sources.connections[connection]
    new = old.model_copy(update={"options": {**old.options, "snapshot": snapshot}})
    return sources.model_copy(update={"connections": {**sources.connections, connection: new}})


def watch_of(connection: Connection) -> AbstractContextManager[Watch]:
    """A watch that waits as long for a silent server as the connection says."""
    return watched(_seconds(connection, "silence_timeout_seconds", SILENCE))


def join_snapshot(engine: duckdb.DuckDBPyConnection, database: str, snapshot: str) -> None:
    """Begin a transaction of `engine` whose readings of `database` show that snapshot; any moment where it is empty."""
    engine.execute("begin")
    if snapshot:
        engine.execute(f"call postgres_execute('{database}', {quote(_joining(snapshot))})")


def _joining(snapshot: str) -> str:
    return f"set transaction snapshot {quote(snapshot)}"


def attach(engine: duckdb.DuckDBPyConnection, connection: Connection, database: str) -> None:
    """Attach as `database`, with the password in a secret of that name: bound, and never part of SQL text."""
    parts = conninfo_to_dict(session_address(connection))
    password = parts.pop("password", None)
    if password:  # binding a value has DuckDB import pandas
        engine.execute(f"create secret {database} (type postgres, password $password)", {"password": str(password)})
    address = make_conninfo("", **parts)
    engine.execute(f"attach {quote(address)} as {database} (type postgres{f', secret {database}' if password else ''})")


def end(session: duckdb.DuckDBPyConnection) -> None:
    """End the transaction of a session beside the landing's, and close it.

    Closed with the transaction open, the engine would end the process where the server is gone."""
    with suppress(duckdb.Error):
        session.execute("rollback")
    session.close()


def release(engine: duckdb.DuckDBPyConnection, database: str) -> None:
    """Close the read transaction and let go of the connection; an engine that failed has done so already."""
    for statement in ("rollback", f"detach {database}", f"drop secret {database}"):
        with suppress(duckdb.Error):
            engine.execute(statement)


def session_address(connection: Connection) -> str:
    """The libpq address with our session options. Raises ConfigError for an address that is none, without repeating it."""
    if not connection.url:
        raise ConfigError(
            "sources.yml: a connection of kind postgres needs url", remedy='add url: "${NAME_OF_THE_VARIABLE}"'
        )
    options = [
        "-c default_transaction_read_only=on",
        "-c synchronize_seqscans=off",
        "-c max_parallel_workers_per_gather=0",
    ]
    timeout = _seconds(connection, "statement_timeout_seconds", 0)
    if timeout:
        options.append(f"-c statement_timeout={int(timeout * 1000)}")
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


def _seconds(connection: Connection, option: str, default: float) -> float:
    given = connection.options.get(option)
    try:
        seconds = default if given is None else float(str(given))
        if not 0 <= seconds < MOST_SECONDS:
            raise ValueError
    except ValueError:
        raise ConfigError(
            f"sources.yml: {option} of a connection is not a number of seconds", remedy="give seconds, such as 600"
        ) from None
    return seconds


def _place(connection: Connection) -> str:
    parts = conninfo_to_dict(connection.url or "")
    return f"PostgreSQL at {parts.get('host') or 'localhost'}/{parts.get('dbname') or ''}"

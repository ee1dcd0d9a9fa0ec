"""The operational store: a PostgreSQL in which sheets are taken in and cleansed, before their rows go to the warehouse.

Any PostgreSQL by `REGULARS_OPERATIONAL_URL`; without it the embedded server of the home folder. Schemas: `raw` (text, as
taken in), `mapping`, `staging` (dbt), `ops` (records of running, the same columns as in the warehouse).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from regulars.errors import TransientError
from regulars.ledger import EFFECTIVE_BATCHES, OPS_TABLES
from regulars.postgres.server import start_server
from regulars.settings import Settings
from regulars.sources.driver_errors import rewritten

DATABASE = "operational"
SCHEMAS = ("raw", "mapping", "staging", "ops")
RECORDS = ("ingestion_logs",)
TYPES: Mapping[str, str] = {"varchar": "text", "double": "double precision"}
CONNECT_SECONDS = 30


def store_url(settings: Settings) -> str:
    """URL of the store, which may hold a secret; starts the embedded server where no other is set."""
    if settings.operational_url is not None:
        return settings.operational_url.get_secret_value()
    return start_server(settings.home_dir).ensure_database(DATABASE)


@contextmanager
def open_store(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose transactions the caller begins (autocommit), with schemas and records in place.

    Raises SourceError or TransientError, without address or password, for the connection and for what fails in the body.
    """
    with store_errors(), psycopg.connect(
        store_url(settings), autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="regulars"
    ) as connection:  # fmt: skip
        connection.execute("set client_encoding = 'UTF8'; set TimeZone = 'UTC'; set datestyle = 'ISO, YMD'")
        connection.execute(f"set lock_timeout = {int(settings.lock_timeout_seconds * 1000)}".encode())
        _prepare(connection)
        yield connection


@contextmanager
def store_errors(place: str = "the operational store") -> Iterator[None]:
    """What psycopg raises in the body, as ours."""
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        raise TransientError(
            f"{place}: another session holds the table",
            remedy="run again when it has ended, or raise REGULARS_LOCK_TIMEOUT_SECONDS",
        ) from None
    except psycopg.OperationalError as error:
        found = rewritten(place, str(error))
        raise (found if found.remedy else TransientError(f"{place} does not answer", remedy="run again")) from None
    except psycopg.Error as error:
        raise rewritten(place, f"ERROR:  {error.diag.message_primary or type(error).__name__}") from None


def record(connection: psycopg.Connection[Any], table: str, row: Mapping[str, Any]) -> None:
    """Append one row to a record table of `ops`, in the transaction of `connection`."""
    names = [name for name, _ in OPS_TABLES[table] if name in row]
    connection.execute(
        sql.SQL("insert into ops.{} ({}) values ({})").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(", ").join([sql.SQL("%s")] * len(names))
        ),
        [row[name] for name in names],
    )  # fmt: skip


def _prepare(connection: psycopg.Connection[Any]) -> None:
    """Schemas and records, made once; two that come first at the same time wait for each other."""
    if connection.execute("select to_regclass('ops.effective_batches')").fetchone() != (None,):
        return
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('regulars store'))")
        for schema in SCHEMAS:
            connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        for table in RECORDS:
            columns = sql.SQL(", ").join(
                sql.SQL("{} " + TYPES.get(kind, kind)).format(sql.Identifier(name)) for name, kind in OPS_TABLES[table]
            )
            connection.execute(sql.SQL("create table if not exists ops.{} ({})").format(sql.Identifier(table), columns))
        connection.execute(f"create view ops.effective_batches as {EFFECTIVE_BATCHES}".encode())

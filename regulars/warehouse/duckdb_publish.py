"""The published copy: one DuckDB file that readers open, replaced whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from regulars.engine import identifier, quote
from regulars.errors import ConfigError

DRAFT = "published_draft"


def publish(cursor: duckdb.DuckDBPyConnection, path: Path, schemas: Sequence[str]) -> None:
    """Replace `schemas` in the published file by their present state; other schemas in it stay as they were.

    Tables are copied, views are made again over the copies. Readers that hold the old file go on reading it; a kill
    at any point leaves the old file in place, and a draft that the next publication takes over: who publishes holds
    the warehouse, so there is never a second one.
    """
    draft = path.with_name(f".{path.name}.draft")
    _remove(draft)
    try:
        if path.exists():
            shutil.copyfile(path, draft)
        cursor.execute(f"attach {quote(str(draft))} as {DRAFT}")
        try:
            views = [sql for schema in schemas for sql in _copy_tables(cursor, schema)]
            _recreate_views(cursor, views)
            cursor.execute(f"checkpoint {DRAFT}")
        finally:
            cursor.execute(f"detach {DRAFT}")
        with open(draft, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        _remove(draft)


def _copy_tables(cursor: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    """Copy what `schema` stores; gives the statements of its views."""
    here = _database(cursor)
    target = f"{DRAFT}.{identifier(schema)}"
    cursor.execute(f"drop schema if exists {target} cascade")
    cursor.execute(f"create schema {target}")
    tables = (
        "select table_name, '' from duckdb_tables() where database_name = ? and schema_name = ? order by table_name"
    )
    views = "select view_name, sql from duckdb_views() where database_name = ? and schema_name = ? order by view_name"
    stored = cursor.execute(tables, [here, schema]).fetchall()
    shown = cursor.execute(views, [here, schema]).fetchall()
    # Views of ops read records that go on changing: readers get the state that was published, as a table.
    for name, _ in stored + (shown if schema == "ops" else []):
        cursor.execute(
            f"create table {target}.{identifier(name)} as select * from {identifier(schema)}.{identifier(name)}"
        )
    return [] if schema == "ops" else [str(sql) for _, sql in shown]


def _recreate_views(cursor: duckdb.DuckDBPyConnection, statements: list[str]) -> None:
    """Make views over the copies; a view that reads another one waits for it. Raises what the last one misses."""
    here = _database(cursor)
    cursor.execute(f"use {DRAFT}")
    try:
        while statements:
            waiting, missing = [], None
            for sql in statements:
                try:
                    cursor.execute(sql)
                except duckdb.CatalogException as error:
                    waiting.append(sql)
                    missing = error
            if missing and len(waiting) == len(statements):
                raise missing
            statements = waiting
    finally:
        cursor.execute(f"use {identifier(here)}")


def _database(cursor: duckdb.DuckDBPyConnection) -> str:
    found = cursor.execute("select current_database()").fetchone()
    return str(found[0]) if found else ""


def _remove(draft: Path) -> None:
    for leftover in (draft, draft.with_name(f"{draft.name}.wal")):
        leftover.unlink(missing_ok=True)


class PublishedReader:
    """Read-only access to the published copy."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a small result."""
        return self._connection.execute(sql, parameters).fetchall()

    def table(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows of a query."""
        found = self._connection.execute(sql)
        return [column[0] for column in found.description or []], found.fetchall()

    def frame(self, sql: str) -> Any:
        """A query as a pandas DataFrame."""
        return self._connection.execute(sql).df()


@contextmanager
def read_published(path: Path) -> Iterator[PublishedReader]:
    """The published copy as it is now. Raises ConfigError where nothing was published yet."""
    if not path.exists():
        raise ConfigError(
            f"nothing is published yet ({path} does not exist)", remedy="run `regulars run daily-loyalty-merge` first"
        )
    connection = duckdb.connect(str(path), read_only=True)
    try:
        yield PublishedReader(connection)
    finally:
        connection.close()

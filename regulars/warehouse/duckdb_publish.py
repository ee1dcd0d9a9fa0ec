"""The published copy: one DuckDB file that readers open, replaced whole."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from regulars.engine import identifier, quote
from regulars.errors import ConfigError, EngineError

DRAFT = "published_draft"
EARLIER = "published_earlier"


def publish(
    cursor: duckdb.DuckDBPyConnection, path: Path, schemas: Sequence[str], kept_relations: Collection[str] = ()
) -> None:
    """Replace `schemas` in the published file by their present state; other schemas in it stay as they were.

    So do the relations of the first one that `kept_relations` names: one that was not published is left out.

    The draft begins as a copy of the file that has most of it already, the warehouse or the earlier publication, because
    copying a file takes a twentieth of the time of writing its tables anew. Readers that hold the old file go on reading it; a kill
    at any point leaves the old file in place, and a draft that the next publication takes over: who publishes holds
    the warehouse, so there is never a second one. Raises EngineError where the file cannot be copied.
    """
    draft = path.with_name(f".{path.name}.draft")
    _remove(draft)
    try:
        warehouse = _database(cursor)
        cursor.execute(f"checkpoint {identifier(warehouse)}")  # what was committed is in the file
        with _attached(cursor, path, EARLIER):
            kept = [schema for schema in _schemas(cursor, EARLIER) if schema not in schemas]
            from_warehouse = _rows(cursor, warehouse, schemas) >= _rows(cursor, EARLIER, kept)
            _copy_file(_file(cursor, warehouse) if from_warehouse else path, draft)
            with _attached(cursor, draft, DRAFT, read_only=False):
                if from_warehouse:
                    for schema in _schemas(cursor, DRAFT):
                        if schema not in (*schemas, *kept):
                            cursor.execute(f"drop schema {DRAFT}.{identifier(schema)} cascade")
                views = [] if from_warehouse else [sql for name in schemas for sql in _replace(cursor, warehouse, name)]
                views += [sql for name in kept for sql in _replace(cursor, EARLIER, name)] if from_warehouse else []
                views += _keep(cursor, schemas[0], kept_relations)
                _recreate_views(cursor, views)
                if "ops" in schemas:
                    _freeze_views(cursor, "ops")
                _ask_views(cursor, schemas)
                cursor.execute(f"checkpoint {DRAFT}")
        with open(draft, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        _remove(draft)


def _copy_file(source: Path, target: Path) -> None:
    """By another process: one that closes a file gives up all of its locks on it, and the warehouse must stay locked."""
    done = subprocess.run(["cp", "--", str(source), str(target)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(
            f"publishing: {done.stderr.strip()}", remedy="free disk space where it says so, then run again"
        )


def _replace(cursor: duckdb.DuckDBPyConnection, source: str, schema: str) -> list[str]:
    """Make a schema of the draft what it is in another database; gives the statements of the views it lacks."""
    target = f"{DRAFT}.{identifier(schema)}"
    cursor.execute(f"create schema if not exists {target}")
    wanted, found = _views(cursor, source, schema), _views(cursor, DRAFT, schema)
    for name, sql in found.items():
        if wanted.get(name) != sql:
            cursor.execute(f"drop view {target}.{identifier(name)}")
    for name in _tables(cursor, DRAFT, schema):
        cursor.execute(f"drop table {target}.{identifier(name)} cascade")
    for name in _tables(cursor, source, schema):
        place = f"{identifier(source)}.{identifier(schema)}.{identifier(name)}"
        cursor.execute(f"create table {target}.{identifier(name)} as select * from {place}")
    return [sql for name, sql in wanted.items() if found.get(name) != sql]


def _keep(cursor: duckdb.DuckDBPyConnection, schema: str, names: Collection[str]) -> list[str]:
    """Make relations of the draft what they are in the earlier publication; gives the statements of the views among them."""
    tables, views = set(_tables(cursor, EARLIER, schema)), _views(cursor, EARLIER, schema)
    target = f"{DRAFT}.{identifier(schema)}"
    for kind, found in (("table", _tables(cursor, DRAFT, schema)), ("view", _views(cursor, DRAFT, schema))):
        for name in set(found) & set(names):
            cursor.execute(f"drop {kind} {target}.{identifier(name)} cascade")
    for name in sorted(tables & set(names)):
        place = f"{EARLIER}.{identifier(schema)}.{identifier(name)}"
        cursor.execute(f"create table {target}.{identifier(name)} as select * from {place}")
    return [sql for name, sql in views.items() if name in names]


def _freeze_views(cursor: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Views of records that go on changing: readers get the state that was published, as a table."""
    for name in _views(cursor, _database(cursor), schema):
        place = f"{DRAFT}.{identifier(schema)}.{identifier(name)}"
        cursor.execute(f"drop view if exists {place}")
        cursor.execute(f"create or replace table {place} as select * from {identifier(schema)}.{identifier(name)}")


def _ask_views(cursor: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> None:
    """Raises the engine's error for a view of the draft that cannot be read, before readers meet it."""
    here = _database(cursor)
    cursor.execute(f"use {DRAFT}")
    try:
        for schema in schemas:
            for name in _views(cursor, DRAFT, schema):
                cursor.execute(f"describe {identifier(schema)}.{identifier(name)}")
    finally:
        cursor.execute(f"use {identifier(here)}")


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


@contextmanager
def _attached(cursor: duckdb.DuckDBPyConnection, path: Path, name: str, *, read_only: bool = True) -> Iterator[None]:
    """A database file under a name; an empty database in memory where there is no such file."""
    place = quote(str(path)) if path.exists() else "':memory:'"
    cursor.execute(f"attach {place} as {name}{' (read_only)' if read_only and path.exists() else ''}")
    try:
        yield
    finally:
        cursor.execute(f"detach {name}")


def _schemas(cursor: duckdb.DuckDBPyConnection, database: str) -> list[str]:
    sql = "select schema_name from duckdb_schemas() where database_name = ? and not internal order by 1"
    return [str(name) for (name,) in cursor.execute(sql, [database]).fetchall() if name != "main"]


def _tables(cursor: duckdb.DuckDBPyConnection, database: str, schema: str) -> list[str]:
    sql = "select table_name from duckdb_tables() where database_name = ? and schema_name = ? order by 1"
    return [str(name) for (name,) in cursor.execute(sql, [database, schema]).fetchall()]


def _views(cursor: duckdb.DuckDBPyConnection, database: str, schema: str) -> dict[str, str]:
    sql = "select view_name, sql from duckdb_views() where database_name = ? and schema_name = ? order by 1"
    return {str(name): str(text) for name, text in cursor.execute(sql, [database, schema]).fetchall()}


def _rows(cursor: duckdb.DuckDBPyConnection, database: str, schemas: Sequence[str]) -> int:
    sql = "select coalesce(sum(estimated_size), 0) from duckdb_tables() where database_name = ? and list_contains(?, schema_name)"
    ((rows,),) = cursor.execute(sql, [database, list(schemas)]).fetchall()
    return int(rows)


def _database(cursor: duckdb.DuckDBPyConnection) -> str:
    found = cursor.execute("select current_database()").fetchone()
    return str(found[0]) if found else ""


def _file(cursor: duckdb.DuckDBPyConnection, database: str) -> Path:
    ((path,),) = cursor.execute("select path from duckdb_databases() where database_name = ?", [database]).fetchall()
    return Path(path)


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
    def batches(self, schema: str, name: str, columns: Sequence[tuple[str, str]]) -> Iterator[pa.RecordBatchReader]:
        """Rows of a relation, a batch at a time."""
        listed = ", ".join(identifier(column) for column, _ in columns)
        with self._connection.cursor() as cursor:
            found = cursor.execute(f"select {listed} from {identifier(schema)}.{identifier(name)}")
            yield found.to_arrow_reader(100_000)


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

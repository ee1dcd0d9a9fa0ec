"""The published database: schemas that readers open, cloned without copying data and swapped in whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from regulars.snowflake_settings import SnowflakeSettings
from regulars.warehouse.snowflake_session import SnowflakeSessions

DRAFT = "draft_"


def publish(
    sessions: SnowflakeSessions,
    database: str,
    readers: str,
    schemas: Sequence[str],
    roles: Mapping[str, Sequence[str]] | None = None,
    kept: Collection[str] = (),
) -> None:
    """Replace `schemas` of the database `readers` by clones of what they are in `database` now.

    All drafts are made before the first swap, so what is left is a statement per schema that changes names only. A kill
    leaves drafts, which the next publication makes anew. Views are cloned with their text, which names no database:
    they read what is published beside them. `roles` names readers and the schemas that each may see: a schema is new
    each time, so it is granted to them while it is a draft. Tables of the first schema that `kept` names are cloned from
    what is published; a view of that name gets its newest text.
    """
    try:
        for schema in schemas:
            sessions.execute(f"create or replace schema {readers}.{DRAFT}{schema} clone {database}.{schema}")
            if kept and schema == schemas[0]:
                _keep(sessions, readers, schema, kept)
            if schema == "ops":
                _freeze_views(sessions, database, readers, schema)
            for role in (role for role, seen in (roles or {}).items() if schema in seen):
                _let_read(sessions, f"{readers}.{DRAFT}{schema}", role)
        for schema in schemas:
            sessions.execute(f"create schema if not exists {readers}.{schema}")
            sessions.execute(f"alter schema {readers}.{schema} swap with {readers}.{DRAFT}{schema}")
            sessions.execute(f"drop schema if exists {readers}.{DRAFT}{schema}")
    finally:  # whoever makes a schema is in it afterwards
        sessions.execute(f"use schema {database}.ops")


def _keep(sessions: SnowflakeSessions, readers: str, schema: str, kept: Collection[str]) -> None:
    """Tables of the draft that were proven earlier, as they were then; those that never were are left out."""
    tables = f"select lower(table_name) from {readers}.information_schema.tables where table_schema = ? and table_type <> 'VIEW'"
    published, drafted = (
        {name for (name,) in sessions.query(tables, [place.upper()])} for place in (schema, f"{DRAFT}{schema}")
    )
    for name in sorted(drafted & set(kept)):
        draft = f"{readers}.{DRAFT}{schema}.{name}"
        if name in published:
            sessions.execute(f"create or replace table {draft} clone {readers}.{schema}.{name}")
        else:
            sessions.execute(f"drop table if exists {draft}")


def _let_read(sessions: SnowflakeSessions, schema: str, role: str) -> None:
    sessions.execute(f"grant usage on schema {schema} to role {role}")
    for kind in ("tables", "views"):
        sessions.execute(f"grant select on all {kind} in schema {schema} to role {role}")


def _freeze_views(sessions: SnowflakeSessions, database: str, readers: str, schema: str) -> None:
    """Views of records that go on changing: readers get the state that was published, as a table."""
    found = sessions.query(
        f"select table_name from {database}.information_schema.tables where table_type = 'VIEW' and table_schema = ?",
        [schema.upper()],
    )
    for (view,) in found:
        draft = f'{readers}.{DRAFT}{schema}."{view}"'
        sessions.execute(f"drop view if exists {draft}")
        sessions.execute(f'create or replace table {draft} as select * from {database}.{schema}."{view}"')


class DatabaseReader:
    """Access to the published database, with names in lower case."""

    def __init__(self, sessions: SnowflakeSessions) -> None:
        self._sessions = sessions

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a small result."""
        return self._sessions.query(sql, parameters)

    def table(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows of a query."""
        found = self._sessions.arrow(sql)
        return found.column_names, [tuple(row.values()) for row in found.to_pylist()]

    def frame(self, sql: str) -> Any:
        """A query as a pandas DataFrame."""
        return self._sessions.arrow(sql).to_pandas()

    @contextmanager
    def batches(self, schema: str, name: str, columns: Sequence[tuple[str, str]]) -> Iterator[pa.RecordBatchReader]:
        """Rows of a relation, a batch at a time; numbers as text, since batches differ in how wide theirs are."""
        listed = ", ".join(
            f"cast({column} as varchar) as {column}" if kind.startswith(("decimal", "bigint")) else column
            for column, kind in columns
        )
        with self._sessions.arrow_batches(f"select {listed} from {schema}.{name}") as reader:
            yield reader


@contextmanager
def read_database(settings: SnowflakeSettings) -> Iterator[DatabaseReader]:
    """The published database. Raises ConfigError where it is not there, or the role may not read it."""
    readers = settings.model_copy(update={"database": settings.readers_database})
    with SnowflakeSessions(readers, None) as sessions:
        yield DatabaseReader(sessions)

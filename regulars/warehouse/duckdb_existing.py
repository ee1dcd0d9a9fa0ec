"""Existing tables of the warehouse file. A run in this process has the file open: this is one more session of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from regulars.engine import identifier, quote
from regulars.engine_errors import without_values
from regulars.errors import ConfigError, SourceError
from regulars.settings import Settings
from regulars.warehouse.duckdb import connect_patiently

# Types that a Parquet file keeps as they are; any other arrives as text, so that no digit is lost.
KEPT = re.compile(
    r"BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|VARCHAR|DATE|TIMESTAMP( WITH TIME ZONE)?"
)
COLUMNS = """
select column_name, data_type from duckdb_columns()
where lower(table_name) = lower(?) and lower(schema_name) = lower(?)
    and lower(database_name) = lower(coalesce(?, current_database()))
order by column_index
"""


class FileTables:
    """Tables of one DuckDB file, in a transaction that may only read."""

    def __init__(self, session: duckdb.DuckDBPyConnection, place: str) -> None:
        self._session = session
        self.place = place

    def relation(self, parts: Sequence[str]) -> str:
        return ".".join(map(identifier, parts))

    def columns(self, parts: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
        *database, schema, table = parts
        found = self._session.execute(COLUMNS, [table, schema, database[0] if database else None]).fetchall()
        return tuple(
            (name, identifier(name), kind)
            if KEPT.fullmatch(kind)
            else (name, f"cast({identifier(name)} as varchar)", "VARCHAR")
            for name, kind in found
        )

    def write(self, query: str, path: Path) -> None:
        self._session.execute(f"copy ({query}) to {quote(str(path))} (format parquet, compression zstd)")


@contextmanager
def read_file_tables(settings: Settings) -> Iterator[FileTables]:
    """Tables of the warehouse file. Raises ConfigError where there is no file, SourceError for what the engine refuses."""
    path = settings.warehouse_path
    if not path.exists():
        raise ConfigError(f"there is no warehouse at {path}", remedy="make the table there first, or set REGULARS_HOME")
    session = connect_patiently(path, settings.lock_timeout_seconds)
    try:
        session.execute("set TimeZone = 'UTC'")
        session.execute("begin transaction read only")
        yield FileTables(session, str(path))
    except duckdb.Error as error:
        raise SourceError(
            without_values(str(error)), remedy="correct table, columns or source_where in sources.yml"
        ) from None
    finally:
        session.close()

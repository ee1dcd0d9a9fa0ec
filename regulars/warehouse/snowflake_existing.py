"""Existing tables of the Snowflake account, as far as the role may see them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from regulars.settings import Settings
from regulars.warehouse.snowflake_session import SnowflakeSessions

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
NATIVE = {"BOOLEAN": "BOOLEAN", "DATE": "DATE", "FLOAT": "DOUBLE", "TEXT": "VARCHAR"}
# Come as text and are typed again: batches differ in how wide their numbers are, and a moment has nine digits.
TYPED_AGAIN = {
    "NUMBER": "DECIMAL({},{})",
    "TIMESTAMP_NTZ": "TIMESTAMP",
    "TIMESTAMP_LTZ": "TIMESTAMP WITH TIME ZONE",
    "TIMESTAMP_TZ": "TIMESTAMP WITH TIME ZONE",
}
COLUMNS = """
select column_name, data_type, numeric_precision, numeric_scale from {}information_schema.columns
where table_name = ? and table_schema = ?
order by ordinal_position
"""


class DatabaseTables:
    """Tables of one account; a name of two parts lies in the database of the settings."""

    def __init__(self, sessions: SnowflakeSessions, place: str) -> None:
        self._sessions = sessions
        self.place = place

    def relation(self, parts: Sequence[str]) -> str:
        return ".".join(map(_identifier, parts))

    def columns(self, parts: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
        *database, schema, table = parts
        listing = COLUMNS.format("".join(f"{_identifier(name)}." for name in database))
        return tuple(_column(*row) for row in self._sessions.query(listing, [_stored(table), _stored(schema)]))

    def write(self, query: str, path: Path) -> None:
        with self._sessions.arrow_batches(query) as batches, pq.ParquetWriter(path, batches.schema) as file:
            for batch in batches:
                file.write_batch(batch)


@contextmanager
def read_database_tables(settings: Settings) -> Iterator[DatabaseTables]:
    """Tables that the account shows to the role. Raises ConfigError or TransientError where it cannot be reached."""
    with SnowflakeSessions(settings.snowflake, None) as sessions:
        yield DatabaseTables(sessions, f"{settings.snowflake.account}, {settings.snowflake.database}")


def _column(name: str, kind: str, precision: int | None, scale: int | None) -> tuple[str, str, str]:
    shown = name.lower() if name.isupper() else name
    column = '"' + name.replace('"', '""') + '"'
    if kind in NATIVE:
        return shown, column, NATIVE[kind]
    return shown, f"cast({column} as varchar)", TYPED_AGAIN.get(kind, "VARCHAR").format(precision, scale)


def _identifier(text: str) -> str:
    """A name as a person writes it: a plain one without regard to case, any other exactly."""
    return text if PLAIN.fullmatch(text) else '"' + text.replace('"', '""') + '"'


def _stored(text: str) -> str:
    return text.upper() if PLAIN.fullmatch(text) else text

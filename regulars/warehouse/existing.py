"""Tables that others keep in the warehouse: they are read, and never written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from regulars.settings import Settings
from regulars.warehouse.duckdb_existing import read_file_tables


class ExistingTables(Protocol):
    """Read access to one moment of the warehouse. `place` is its name in messages."""

    place: str

    def relation(self, parts: Sequence[str]) -> str:
        """The table as SQL, of its names: schema and table, or database, schema and table."""

    def columns(self, parts: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
        """(name, SQL that selects it, DuckDB type to make of it) for each column of a table or view, in its order.

        Empty where it is not there, or hidden from the user."""

    def write(self, query: str, path: Path) -> None:
        """Write the rows of a SELECT to a Parquet file, in their order."""


@contextmanager
def open_existing(settings: Settings) -> Iterator[ExistingTables]:
    """The tables of the warehouse that the settings name. Raises ConfigError or TransientError where there is none."""
    if settings.warehouse == "duckdb":
        with read_file_tables(settings) as tables:
            yield tables
        return
    from regulars.warehouse.snowflake_existing import read_database_tables  # only who uses it installs its client

    with read_database_tables(settings) as there:
        yield there

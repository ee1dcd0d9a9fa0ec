"""What a delivery asks of an engine: a small protocol, and everything that is said in one engine's own SQL."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import duckdb

from regulars.engine import quote
from regulars.settings import Settings
from regulars.warehouse.duckdb import in_transaction, read_file

INNER, OUTER = "pseudonym_inner", "pseudonym_outer"

# Apostrophes at the front count too, so that taking one away again gives exactly the text that was there.
FORMULA = r"^'*[\s\x0b\p{Z}\p{Cf}]*[=+\-@\t\r\n\x00＝＋－＠]"


class Unloader(Protocol):
    """One session of a warehouse, in which temporary tables last; `regulars.warehouse.base.Warehouse` is one."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a small result."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement."""

    def export(self, sql: str, path: Path, format: Literal["csv", "parquet"]) -> int:
        """Write a result, in its order, to a local file; gives the number of rows."""

    def import_file(self, path: Path, columns: Sequence[str], format: Literal["csv", "parquet"]) -> str:
        """A table expression over a file that `export` wrote; every column of a CSV is text."""

    def transaction(self) -> AbstractContextManager[None]:
        """What is read inside is one state of the warehouse."""


class Dialect(Protocol):
    """The expressions that engines say differently. Expressions in, expressions out."""

    name: str
    version: str

    def hold_key(self, engine: Unloader, inner: bytes, outer: bytes) -> None:
        """Give the session the two pads of HMAC-SHA256 (64 bytes each), so that they are in no SQL text."""

    def drop_key(self, engine: Unloader) -> None:
        """Take them from the session."""

    def keyed_hash(self, text: str) -> str:
        """HMAC-SHA256, 64 lower-case hex digits, under the key that the session holds."""

    def columns(self) -> str:
        """A SELECT of name and type, in the words of contracts, of a relation's columns; parameters: schema, name."""

    def named(self, expression: str, column: str) -> str:
        """A column of an export, which the file names in lower case."""

    def order_by_stored(self, table: str, column: str) -> str:
        """The ORDER BY of reading a table that was written in the order of `column`."""

    def misplaced(self, table: str, column: str) -> str:
        """A SELECT of how many rows have no value or one that another has; 0 also says that a stored order holds."""

    def is_formula(self, text: str) -> str:
        """Whether a spreadsheet could run the cell; null for null."""

    def undo_guard(self, text: str) -> str:
        """A cell of a delivered CSV as it was before the guard."""


class DuckDBUnloader:
    """An Unloader on a cursor of its own of an open DuckDB connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._cursor = connection.cursor()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cursor.close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._cursor.execute(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._cursor.execute(sql, parameters)

    def export(self, sql: str, path: Path, format: Literal["csv", "parquet"]) -> int:
        options = "format csv, header true" if format == "csv" else "format parquet, compression zstd"
        return int(self.query(f"copy ({sql}) to {quote(str(path))} ({options})")[0][0])

    def import_file(self, path: Path, columns: Sequence[str], format: Literal["csv", "parquet"]) -> str:
        return read_file(path, columns, format)

    def transaction(self) -> AbstractContextManager[None]:
        return in_transaction(self.execute)


class DuckDBDialect:
    """What DuckDB says."""

    name = "duckdb"
    version = "version()"

    def hold_key(self, engine: Unloader, inner: bytes, outer: bytes) -> None:
        for name, pad in ((INNER, inner), (OUTER, outer)):
            engine.execute(f"set variable {name} = ?", [pad])

    def drop_key(self, engine: Unloader) -> None:
        for name in (INNER, OUTER):
            engine.execute(f"reset variable {name}")

    def keyed_hash(self, text: str) -> str:
        return f"sha256(getvariable('{OUTER}') || unhex(sha256(getvariable('{INNER}') || encode({text}))))"

    def columns(self) -> str:
        return (
            "select column_name, lower(data_type) from information_schema.columns "
            "where table_catalog = current_database() and table_schema = ? and table_name = ? order by ordinal_position"
        )

    def named(self, expression: str, column: str) -> str:
        return f"{expression} as {column}"

    def order_by_stored(self, table: str, column: str) -> str:
        return ""  # the engine keeps that order

    def misplaced(self, table: str, column: str) -> str:
        rows = f"select {column}, lag({column}) over () as before from {table}"
        return f"select count(*) from ({rows}) where {column} is null or {column} <= before"

    def is_formula(self, text: str) -> str:
        plain = " or ".join(
            f"({text} >= '{low}' and {text} < '{past}')" for low, past in (("0", ":"), ("A", "["), ("a", "{"))
        )
        # Most cells begin with a letter or digit: two comparisons are a third of the regular expression's price.
        return f"(case when {plain} then false else regexp_matches({text}, {quote(FORMULA)}) end)"

    def undo_guard(self, text: str) -> str:
        return f"(case when {text} like '''%' and {self.is_formula(text)} then substr({text}, 2) else {text} end)"


def open_dialect(settings: Settings) -> Dialect:
    """The dialect of the configured warehouse."""
    if settings.warehouse == "snowflake":
        from regulars.segments.snowflake_dialect import SnowflakeDialect

        return SnowflakeDialect()
    return DuckDBDialect()

"""What a delivery asks of an engine: a small protocol, and everything that is said in one engine's own SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import duckdb

from regulars.engine import quote
from regulars.errors import ConfigError
from regulars.settings import Settings
from regulars.warehouse.duckdb import read_file

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

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.execute("begin")
        try:
            yield
        except BaseException:
            self.execute("rollback")
            raise
        self.execute("commit")


class DuckDBDialect:
    """The expressions that another engine says differently. Expressions in, expressions out."""

    name = "duckdb"
    version = "version()"

    def set_variable(self, name: str) -> str:
        """A statement that takes the value as its one parameter, so that it is in no SQL text."""
        return f"set variable {name} = ?"

    def reset_variable(self, name: str) -> str:
        return f"reset variable {name}"

    def keyed_hash(self, text: str) -> str:
        """HMAC-SHA256, 64 lower-case hex digits, under the key whose pads are in the session's variables."""
        return f"sha256(getvariable('{OUTER}') || unhex(sha256(getvariable('{INNER}') || encode({text}))))"

    def order_by_stored(self, column: str) -> str:
        """The ORDER BY of reading a table that was written in the order of `column`: the engine keeps that order."""
        return ""

    def misplaced(self, table: str, column: str) -> str:
        """A SELECT of how many rows of such a table have no value, or none that is greater than the row's before: 0
        says that every value is there once and that the order holds."""
        rows = f"select {column}, lag({column}) over () as before from {table}"
        return f"select count(*) from ({rows}) where {column} is null or {column} <= before"

    def is_formula(self, text: str) -> str:
        """Whether a spreadsheet could run the cell; null for null."""
        plain = " or ".join(
            f"({text} >= '{low}' and {text} < '{past}')" for low, past in (("0", ":"), ("A", "["), ("a", "{"))
        )
        # Most cells begin with a letter or digit: two comparisons are a third of the regular expression's price.
        return f"(case when {plain} then false else regexp_matches({text}, {quote(FORMULA)}) end)"

    def undo_guard(self, text: str) -> str:
        """A cell of a delivered CSV as it was before the guard."""
        return f"(case when {text} like '''%' and {self.is_formula(text)} then substr({text}, 2) else {text} end)"


def open_dialect(settings: Settings) -> DuckDBDialect:
    """The dialect of the configured warehouse."""
    if settings.warehouse != "duckdb":
        raise ConfigError(
            f"deliveries from {settings.warehouse} are not there yet", remedy="set REGULARS_WAREHOUSE=duckdb"
        )
    return DuckDBDialect()

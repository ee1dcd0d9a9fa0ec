"""What is asked of PostgreSQL for a table: columns with the types they arrive in, and the window as a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regulars.engine import identifier, quote
from regulars.sources.base import Request
from regulars.sources.csv_files import repeated_names, unique_names
from regulars.sources.push_down import needed_columns, window_column, window_days

NUMERIC, BPCHAR = 1700, 1042
# Types that arrive in DuckDB as themselves; anything else is read as PostgreSQL writes it in text.
KEPT = {16, 17, 20, 21, 23, 25, 700, 701, 1043, 1082, 1114, 1184, 2950, BPCHAR}
DUCKDB_TYPES = {
    16: "BOOLEAN",
    17: "BLOB",
    20: "BIGINT",
    21: "SMALLINT",
    23: "INTEGER",
    700: "FLOAT",
    701: "DOUBLE",
    1082: "DATE",
    1114: "TIMESTAMP",
    1184: "TIMESTAMP WITH TIME ZONE",
    2950: "UUID",
}
DATE, TIMESTAMP, TIMESTAMPTZ = 1082, 1114, 1184


@dataclass(frozen=True)
class Reading:
    """SELECT for PostgreSQL without its conditions, the columns it gives with DuckDB types, whether the window is one of
    the conditions, what is read, names that stand there twice, and the pages to cut into ranges (0: one stream)."""

    table: str
    relation: str
    select: str
    conditions: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    is_windowed: bool
    repeated: frozenset[str]
    pages: int = 0

    def query(self, *more: str) -> str:
        conditions = (*self.conditions, *more)
        return self.select + (f" where {' and '.join(conditions)}" if conditions else "")


def push_down(request: Request, inner: str, table: str, found: dict[str, Any]) -> Reading:
    """The reading of `inner`, whose columns (psycopg's descriptions) are `found`. Raises ConfigError."""
    needed = needed_columns(request, list(found))
    repeated = repeated_names(needed)  # names that differ in case alone are one to the engine
    called = [
        name if name.lower() not in repeated else alias
        for name, alias in zip(needed, unique_names(needed), strict=True)
    ]
    items = [
        f"{identifier(name)}{_cast(found[name])} as {identifier(alias)}"
        for name, alias in zip(needed, called, strict=True)
    ]
    window = _window_condition(request, {name: column.type_code for name, column in found.items()})
    where = request.source.source_where
    return Reading(
        table,
        inner,
        f"select {', '.join(items)} from {inner} as source",
        tuple(condition for condition in (f"({where})" if where else None, window) if condition),
        tuple((alias, _duckdb_type(found[name])) for name, alias in zip(needed, called, strict=True)),
        window is not None,
        repeated,
    )


def _window_condition(request: Request, types: dict[str, int]) -> str | None:
    """The window on the cursor or the event time, where that is a plain column of a date or time type.

    Rows without a time are read too: they break the contract, and must be seen.
    """
    if request.window is None:
        return None
    name = window_column(request, list(types))
    if name is None:
        return None
    start, end = request.window
    column, kind = identifier(name), types[name]
    if kind == TIMESTAMPTZ:
        low, high = (f"timestamptz '{moment.isoformat(sep=' ')}+00'" for moment in (start, end))
    elif kind == TIMESTAMP:
        zone = request.read.timezone or "UTC"
        low, high = (
            f"timestamptz '{moment.isoformat(sep=' ')}+00' at time zone {quote(zone)}" for moment in (start, end)
        )
    elif kind == DATE:
        low, high = (f"date '{day.isoformat()}'" for day in window_days(request))
    else:
        return None
    return f"(({column} >= {low} and {column} < {high}) or {column} is null)"


def _cast(column: Any) -> str:
    """Numbers without a declared precision would arrive as doubles: they, and types the engine lacks, come as text."""
    return "" if column.type_code in KEPT or _is_decimal(column) else "::text"


def _is_decimal(column: Any) -> bool:
    """Whether the engine has the type: a declared precision up to 38, and a scale within it."""
    precision, scale = column.precision or 0, column.scale or 0
    return column.type_code == NUMERIC and 0 < precision <= 38 and 0 <= scale <= precision


def _duckdb_type(column: Any) -> str:
    if _is_decimal(column):
        return f"DECIMAL({column.precision},{column.scale or 0})"
    return DUCKDB_TYPES.get(column.type_code, "VARCHAR")

"""Kind `sql`: tables and queries of PostgreSQL, MySQL and MariaDB, SQL Server and Oracle, as Arrow batches by connectorx.

Each is read by one statement, in a process of its own, into a Parquet file of the spool, which is landed once it is whole:
memory stays flat, the source is free again as soon as its rows are sent, and of a broken reading nothing is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from regulars.engine import identifier
from regulars.engine_errors import without_values
from regulars.errors import ConfigError, RegularsError, SourceError
from regulars.sources.base import Piece, Request
from regulars.sources.csv_files import repeated_names, unique_names
from regulars.sources.parquet_files import parquet_piece
from regulars.sources.push_down import is_dated, is_live, needed_columns, window_column, window_days
from regulars.sources.sql_address import Address, address_of
from regulars.sources.sql_dialects import Dialect
from regulars.sources.sql_process import SqlProcess, sql_process

DECIMAL = re.compile(r"(?:decimal|numeric|number)\((\d+),\s*(\d+)\)", re.IGNORECASE)


@dataclass(frozen=True)
class Reading:
    """A SELECT for the source; `decimals` are columns that come as text and are numbers of (precision, scale)."""

    source: str
    query: str
    columns: tuple[str, ...]
    decimals: dict[str, tuple[int, int]]
    is_windowed: bool
    repeated: frozenset[str]


class SqlReader:
    """Reads one table or query; the window, `source_where` and the choice of columns are done by the database."""

    @contextmanager
    def open(self, request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> Iterator[Iterator[Piece]]:
        address = address_of(request.source.connection, request.connection)
        target = spool / "source.parquet"
        with _named(request), sql_process(address) as process:
            reading = _reading(request, address, process)
            process.ask(reading.query, target)
        yield iter([_piece(request, reading, target, engine, spool)])

    def plan(self, request: Request) -> list[dict[str, Any]]:
        address = address_of(request.source.connection, request.connection)
        with _named(request), sql_process(address) as process:
            reading = _reading(request, address, process)
        window = request.window
        return [
            {
                "table": request.table,
                "from": request.source.connection,
                "source": reading.source,
                "query": reading.query,
                "where": request.source.where,
                "columns": list(reading.columns),
                "window": [moment.isoformat() for moment in window] if window else None,
                "window_is_pushed_down": reading.is_windowed and window is not None,
            }
        ]

    def is_live(self, request: Request) -> bool:
        return is_live(request)

    def is_dated(self, request: Request) -> bool:
        return is_dated(request)


@contextmanager
def _named(request: Request) -> Iterator[None]:
    """Errors of the body say which table and connection they are about."""
    try:
        yield
    except ConfigError:
        raise
    except RegularsError as error:
        table = request.source.table or "query"
        raise type(error)(
            f"{request.source.connection}: {table} (for table {request.table}): {error.message}", remedy=error.remedy
        ) from None


def _reading(request: Request, address: Address, process: SqlProcess) -> Reading:
    """What to ask for. Raises ConfigError, SourceError or TransientError."""
    source, dialect = request.source, address.dialect
    if source.query:
        inner, parts = f"({request.fill_query(source.query, dialect.day, dialect.local)})", None
    elif source.table:
        inner, parts = dialect.relation(source.table), tuple(source.table.split("."))
    else:
        raise ConfigError(
            f"sources.yml: tables.{request.table}: kind sql needs table or query", remedy="add table: schema.name"
        )
    types = _types(address, process, inner, parts)
    needed = needed_columns(request, list(types))
    repeated = repeated_names(needed)  # names that differ in case alone are one to the engine
    called = dict(zip(needed, unique_names(needed) if repeated else needed, strict=True))
    items = [
        f"{dialect.rule_of(types[name]).sql.format(dialect.identifier(name))} as {dialect.identifier(alias)}"
        for name, alias in called.items()
    ]
    window = _window_condition(request, address, types)
    conditions = [f"({source.source_where})"] if source.source_where else []
    conditions += [window] if window else []
    return Reading(
        source.table or "query",
        f"select {', '.join(items)} from {inner} source" + (f" where {' and '.join(conditions)}" if conditions else ""),
        tuple(called.values()),
        {alias: found for name, alias in called.items() if (found := _decimal(dialect, types[name]))},
        window is not None,
        repeated,
    )


def _types(address: Address, process: SqlProcess, inner: str, parts: tuple[str, ...] | None) -> dict[str, str]:
    """Type of each column, in the engine's words; of a query, where the engine has none for that, in the reader's."""
    listing = address.dialect.describe(parts, inner)
    if listing is None:
        probe = process.ask(f"select * from {inner} source where 1 = 0")
        return dict(probe["columns"])
    found = {str(name): str(kind) for name, kind in process.ask(listing)["rows"]}
    if not found:
        raise SourceError(
            f"{address.place}: it does not exist, or the user may not see it",
            remedy="correct table in sources.yml, or grant select on it to the user of this connection",
        )
    return found


def _window_condition(request: Request, address: Address, types: dict[str, str]) -> str | None:
    """The window where cursor or event time is a plain column of a date or time type. Rows without a time are read too."""
    name = window_column(request, list(types)) if request.window else None
    if name is None or request.window is None:
        return None
    dialect, kind = address.dialect, address.dialect.rule_of(types[name]).kind
    zone = ZoneInfo(request.read.timezone or "UTC")
    is_of_days = request.contract.by_name[request.contract.event_time or ""].data_type == "date"
    if kind == "day":
        low, high = (dialect.day.format(day.isoformat()) for day in window_days(request))
    elif kind == "local" and is_of_days:  # days that the engine keeps as midnights
        low, high = (dialect.local.format(f"{day.isoformat()} 00:00:00") for day in window_days(request))
    elif kind == "local":
        low, high = (dialect.local.format(_plain(moment.astimezone(zone))) for moment in _aware(request.window))
    elif kind == "utc":
        low, high = (dialect.utc.format(_plain(moment)) for moment in _aware(request.window))
    else:
        return None
    column = dialect.identifier(name)
    return f"(({column} >= {low} and {column} < {high}) or {column} is null)"


def _aware(window: tuple[datetime, datetime]) -> list[datetime]:
    return [moment.replace(tzinfo=UTC) for moment in window]


def _plain(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(sep=" ")


def _decimal(dialect: Dialect, kind: str) -> tuple[int, int] | None:
    match = DECIMAL.match(kind) if dialect.rule_of(kind).sql != "{}" else None
    precision, scale = (int(match[1]), int(match[2])) if match else (0, 0)
    return (precision, scale) if 0 < precision <= 38 and scale <= precision else None


def _piece(request: Request, reading: Reading, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    name = f"{request.source.connection}.{reading.source}"
    piece = parquet_piece(request, name, path, engine, spool)
    start, stop = request.window or (None, None)
    kinds = {alias: f"DECIMAL({precision},{scale})" for alias, (precision, scale) in reading.decimals.items()}
    casts = [f"cast({identifier(alias)} as {kind}) as {identifier(alias)}" for alias, kind in kinds.items()]
    return replace(
        piece,
        relation=f"select * replace ({', '.join(casts)}) from ({piece.relation})" if casts else piece.relation,
        columns=tuple((column, kinds.get(column, kind)) for column, kind in piece.columns),
        is_windowed=reading.is_windowed,
        repeated=reading.repeated,
        position={
            "table": reading.source,
            "window": [start.isoformat(), stop.isoformat()] if start and stop else None,
        },
        explain=lambda error: SourceError(f"{name}: {without_values(str(error))}", remedy="run again"),
    )

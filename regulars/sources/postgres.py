"""Kind `postgres`: tables and queries of a PostgreSQL database, read by one COPY stream each.

One stream keeps the order of the rows (equal tables give equal files, so equal batches), runs any SQL that PostgreSQL
understands, and belongs to one snapshot; docs/sources.md has the measurement against the parallel scan.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from regulars.engine import identifier, load_extension, quote, unique_name
from regulars.errors import ConfigError, RegularsError, SourceError, TransientError
from regulars.sources.base import Piece, Request
from regulars.sources.config import Connection, Sources
from regulars.sources.csv_files import repeated_names, unique_names
from regulars.sources.driver_errors import rewritten
from regulars.sources.expressions import column_references, match_column
from regulars.sources.postgres_connection import attach, connect

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


class PostgresReader:
    """Reads one table or query; the window, `source_where` and the choice of columns are done by PostgreSQL."""

    @contextmanager
    def open(self, request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> Iterator[Iterator[Piece]]:
        query, columns, is_windowed, table, repeated = _pushed_down(request)
        load_extension(engine, "postgres_scanner")
        database = unique_name("source")
        snapshot = request.connection.options.get("snapshot")
        try:
            attach(engine, request.connection, database)
            engine.execute("begin")
            if snapshot:
                statement = f"set transaction snapshot {quote(str(snapshot))}"
                engine.execute(f"call postgres_execute('{database}', {quote(statement)})")
        except duckdb.Error as error:
            raise source_error(request, str(error)) from None
        relation = f"select * from postgres_query('{database}', {quote(query)})"
        start, end = request.window or (None, None)
        position = {"table": table, "window": [start.isoformat(), end.isoformat()] if start and end else None}
        counting = f"select count(*) from ({query}) as counted"
        piece = Piece(
            f"{request.source.connection}.{table}",
            relation,
            columns,
            is_windowed=is_windowed,
            position=position,
            count=f"select * from postgres_query('{database}', {quote(counting)})",
            repeated=repeated,
            explain=lambda error: source_error(request, str(error)),
        )
        try:
            yield iter([piece])
        except duckdb.Error as error:
            raise source_error(request, str(error)) from None
        finally:
            _end(engine, database)

    def plan(self, request: Request) -> list[dict[str, Any]]:
        query, columns, is_windowed, table, _ = _pushed_down(request)
        window = request.window
        return [
            {
                "table": request.table,
                "from": request.source.connection,
                "source": table,
                "query": query,
                "where": request.source.where,
                "columns": [name for name, _ in columns],
                "window": [moment.isoformat() for moment in window] if window else None,
                "window_is_pushed_down": is_windowed and window is not None,
            }
        ]

    def is_live(self, request: Request) -> bool:
        query = request.source.query or ""
        return request.contract.mode == "snapshot" and not any(name in query for name in ("{as_of}", "{window_start}"))

    def is_dated(self, request: Request) -> bool:
        return request.source.cursor is not None


@contextmanager
def shared_snapshot(connection: Connection) -> Iterator[str]:
    """The identifier of a snapshot that lives as long as the context: every table read with it shows one moment.

    Hand it on as `connection.options["snapshot"]` (see `with_snapshot`).
    """
    with connect(connection) as session:
        session.execute("set transaction isolation level repeatable read, read only")
        row = session.execute("select pg_export_snapshot()").fetchone()
        assert row is not None  # noqa: S101  the function always gives one row
        yield str(row[0])


def with_snapshot(sources: Sources, connection: str, snapshot: str) -> Sources:
    """The same sources, with tables of `connection` read in `snapshot`."""
    old = sources.connections[connection]
    new = old.model_copy(update={"options": {**old.options, "snapshot": snapshot}})
    return sources.model_copy(update={"connections": {**sources.connections, connection: new}})


def source_error(request: Request, text: str) -> RegularsError:
    """Ours for what the driver said, without addresses or passwords."""
    return rewritten(f"{request.source.connection}: table {request.table}", text)


def _pushed_down(request: Request) -> tuple[str, tuple[tuple[str, str], ...], bool, str, frozenset[str]]:
    """SQL for PostgreSQL, the columns it gives with DuckDB types, whether it cuts the window, what is read, and
    names that stand there twice."""
    source = request.source
    if source.query:
        inner, table = f"({request.fill_query(source.query)})", "query"
    elif source.table:
        inner, table = ".".join(identifier(part) for part in source.table.split(".")), source.table
    else:
        raise ConfigError(
            f"sources.yml: tables.{request.table}: kind postgres needs table or query", remedy="add table: schema.name"
        )
    try:
        with connect(request.connection) as session:
            described = session.execute(f"select * from {inner} as source limit 0".encode()).description or []
    except TransientError:
        raise
    except SourceError as error:
        raise SourceError(
            f"{request.source.connection}: {table} (for table {request.table}): {error.message}", remedy=error.remedy
        ) from None
    found = {column.name: column for column in described}
    needed = _needed(request, list(found))
    repeated = repeated_names(needed)  # names that differ in case alone are one to the engine
    called = [
        name if name.lower() not in repeated else alias
        for name, alias in zip(needed, unique_names(needed), strict=True)
    ]
    items = [
        f"{identifier(name)}{_cast(found[name])} as {identifier(alias)}"
        for name, alias in zip(needed, called, strict=True)
    ]
    conditions = [f"({condition})" for condition in (source.source_where,) if condition]
    window = _window_condition(request, {name: column.type_code for name, column in found.items()})
    if window:
        conditions.append(window)
    where = f" where {' and '.join(conditions)}" if conditions else ""
    query = f"select {', '.join(items)} from {inner} as source{where}"
    columns = tuple((alias, _duckdb_type(found[name])) for name, alias in zip(needed, called, strict=True))
    return query, columns, window is not None, table, repeated


def _needed(request: Request, names: list[str]) -> list[str]:
    """Columns that the mapping, `where` and the drift rule look at; all where nothing is mapped."""
    source = request.source
    if not source.columns:
        return names
    used: set[str] = set()
    for contract_column in request.contract.by_name:
        mapped = source.columns.get(contract_column, contract_column)
        direct = match_column(mapped, names)
        used |= {direct} if direct else set(column_references(mapped, names))
    if source.where:
        used |= set(column_references(source.where, names))
    return [name for name in names if name in used] or names[:1]


def _window_condition(request: Request, types: dict[str, int]) -> str | None:
    """The window on the cursor or the event time, where that is a plain column of a date or time type.

    Rows without a time are read too: they break the contract, and must be seen.
    """
    if request.window is None:
        return None
    event_time = request.contract.event_time or ""
    name = match_column(request.source.cursor or request.source.columns.get(event_time, event_time), list(types))
    if request.source.cursor and name is None:
        raise ConfigError(
            f"sources.yml: tables.{request.table}.cursor: {request.source.cursor!r} is not a column of the source",
            remedy=f"one of: {', '.join(types)}",
        )
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
        first = request.as_of - timedelta(days=request.contract.lookback_days)
        low, high = f"date '{first.isoformat()}'", f"date '{(request.as_of + timedelta(days=1)).isoformat()}'"
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


def _end(engine: duckdb.DuckDBPyConnection, database: str) -> None:
    """Close the read transaction and let go of the connection; an engine that failed has done so already."""
    for statement in ("rollback", f"detach {database}", f"drop secret {database}"):
        try:
            engine.execute(statement)
        except duckdb.Error:
            continue

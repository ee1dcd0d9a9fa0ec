"""Kind `postgres`: tables and queries of a PostgreSQL database, read by COPY streams in one snapshot.

A large table that PostgreSQL would read in page order is cut into fixed ranges of pages, a piece each, which are read
side by side; anything else is one stream. Either way the order of the rows is settled: equal tables give equal files,
so equal batches. A stream runs any SQL that PostgreSQL understands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import duckdb

from regulars.engine import identifier, load_extension, quote, sibling, unique_name
from regulars.errors import ConfigError, RegularsError, SourceError, TransientError
from regulars.sources.base import Piece, Request
from regulars.sources.csv_files import repeated_names, unique_names
from regulars.sources.driver_errors import rewritten
from regulars.sources.expressions import column_references, match_column
from regulars.sources.postgres_ranges import LEAST_PAGES, page_ranges, range_condition, scanned_pages, size_query
from regulars.sources.postgres_session import attach, connect, end, join_snapshot, release, shared_snapshot, watch_of
from regulars.sources.silence import Watch

MOST_STREAMS = 4  # of one table; each is a connection

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
class _Reading:
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


class PostgresReader:
    """Reads one table or query; the window, `source_where` and the choice of columns are done by PostgreSQL."""

    @contextmanager
    def open(self, request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> Iterator[Iterator[Piece]]:
        with watch_of(request.connection) as watch:

            def explain(error: duckdb.Error) -> RegularsError:
                return watch.error(_place(request)) or source_error(request, str(error))

            reading = _read_from(request, watch)
            load_extension(engine, "postgres_scanner")
            database = unique_name("source")
            sessions: list[duckdb.DuckDBPyConnection] = []
            try:
                with watch.opening():
                    attach(engine, request.connection, database)
                    ranges = _begin(request, reading, engine, database, sessions)
                free: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
                for session in sessions:
                    free.put(session)
                lend = (lambda: _lent(free)) if ranges else None
                pieces = [
                    replace(_piece(request, reading, database, pages), explain=explain, session=lend)
                    for pages in (ranges or (None,))
                ]
                yield iter(pieces)
            except duckdb.Error as error:
                raise explain(error) from None
            finally:
                for session in sessions[1:]:
                    end(session)
                release(engine, database)

    def plan(self, request: Request) -> list[dict[str, Any]]:
        with watch_of(request.connection) as watch:
            reading = _read_from(request, watch)
        window = request.window
        return [
            {
                "table": request.table,
                "from": request.source.connection,
                "source": reading.table,
                "query": reading.query(),
                "where": request.source.where,
                "columns": [name for name, _ in reading.columns],
                "window": [moment.isoformat() for moment in window] if window else None,
                "window_is_pushed_down": reading.is_windowed and window is not None,
            }
        ]

    def is_live(self, request: Request) -> bool:
        query = request.source.query or ""
        return request.contract.mode == "snapshot" and not any(name in query for name in ("{as_of}", "{window_start}"))

    def is_dated(self, request: Request) -> bool:
        return request.source.cursor is not None


def source_error(request: Request, text: str) -> RegularsError:
    """Ours for what the driver said, without addresses or passwords."""
    return rewritten(_place(request), text)


def _place(request: Request) -> str:
    return f"{request.source.connection}: table {request.table}"


def _begin(
    request: Request,
    reading: _Reading,
    engine: duckdb.DuckDBPyConnection,
    database: str,
    sessions: list[duckdb.DuckDBPyConnection],
) -> Sequence[tuple[int, int]]:
    """Begin `sessions`, which all show one moment, and cut the table into its ranges; none where one stream is to do."""
    sessions.append(engine)
    snapshot = str(request.connection.options.get("snapshot") or "")
    with ExitStack() as held:
        if reading.pages > LEAST_PAGES and not snapshot:
            try:
                snapshot = held.enter_context(shared_snapshot(request.connection))
            except SourceError:  # a server that lends no snapshot
                reading = replace(reading, pages=0)
        join_snapshot(engine, database, snapshot)
        if reading.pages <= LEAST_PAGES:
            return ()
        # Asked again, now that what is read is fixed: a page that was added before is seen, one added since holds nothing.
        size = f"from postgres_query('{database}', {quote(size_query(reading.relation))})"
        ranges = page_ranges(int((engine.execute(size).fetchone() or (0,))[0]))
        while len(sessions) < min(len(ranges), request.settings.threads, MOST_STREAMS):
            sessions.append(sibling(engine))
            join_snapshot(sessions[-1], database, snapshot)
    return ranges


@contextmanager
def _lent(free: SimpleQueue[duckdb.DuckDBPyConnection]) -> Iterator[duckdb.DuckDBPyConnection]:
    session = free.get()
    try:
        yield session
    finally:
        free.put(session)


def _piece(request: Request, reading: _Reading, database: str, pages: tuple[int, int] | None) -> Piece:
    """All rows, or those of a range of pages; the first range is called like the table, as all of it would be."""
    query = reading.query(*([range_condition(*pages)] if pages else []))
    start, stop = request.window or (None, None)
    counting = f"select count(*) from ({query}) as counted"
    later = f" from page {pages[0]}" if pages and pages[0] else ""
    return Piece(
        f"{request.source.connection}.{reading.table}{later}",
        f"select * from postgres_query('{database}', {quote(query)})",
        reading.columns,
        is_windowed=reading.is_windowed,
        position={
            "table": reading.table,
            "window": [start.isoformat(), stop.isoformat()] if start and stop else None,
            **({"pages": list(pages)} if pages else {}),
        },
        count=f"select * from postgres_query('{database}', {quote(counting)})",
        repeated=reading.repeated,
    )


def _read_from(request: Request, watch: Watch) -> _Reading:
    """What to ask PostgreSQL for. Raises ConfigError, SourceError or TransientError."""
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
        with connect(request.connection, watch) as session:
            described = session.execute(f"select * from {inner} as source limit 0".encode()).description or []
            reading = _push_down(request, inner, table, {column.name: column for column in described})
            if source.table and not source.query and not source.source_where:
                reading = replace(reading, pages=scanned_pages(session, inner, reading.query()))
            return reading
    except TransientError as error:
        raise (watch.error(_place(request)) or error) from None
    except SourceError as error:
        raise SourceError(
            f"{source.connection}: {table} (for table {request.table}): {error.message}", remedy=error.remedy
        ) from None


def _push_down(request: Request, inner: str, table: str, found: dict[str, Any]) -> _Reading:
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
    window = _window_condition(request, {name: column.type_code for name, column in found.items()})
    where = request.source.source_where
    return _Reading(
        table,
        inner,
        f"select {', '.join(items)} from {inner} as source",
        tuple(condition for condition in (f"({where})" if where else None, window) if condition),
        tuple((alias, _duckdb_type(found[name])) for name, alias in zip(needed, called, strict=True)),
        window is not None,
        repeated,
    )


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

"""Kind `postgres`: tables and queries of a PostgreSQL database, read by COPY streams in one snapshot.

A large table that PostgreSQL would read in page order is cut into fixed ranges of pages, a piece each, which are read
side by side; anything else is one stream. Either way the order of the rows is settled: equal tables give equal files,
so equal batches. A stream runs any SQL that PostgreSQL understands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import duckdb

from regulars.engine import identifier, load_extension, quote, sibling, unique_name
from regulars.errors import ConfigError, RegularsError, SourceError, TransientError
from regulars.sources.base import Piece, Request
from regulars.sources.driver_errors import rewritten
from regulars.sources.postgres_query import Reading, push_down
from regulars.sources.postgres_ranges import (
    LEAST_OF_TRANSFER,
    LEAST_PAGES,
    SHARE,
    SHARE_OF_TRANSFER,
    page_ranges,
    range_condition,
    scanned_pages,
    size_query,
)
from regulars.sources.postgres_session import attach, connect, end, join_snapshot, release, shared_session, watch_of
from regulars.sources.postgres_state import has_state, read_state
from regulars.sources.push_down import is_dated, is_live
from regulars.sources.silence import Watch

MOST_STREAMS = 4  # of one table; each is a connection


class PostgresReader:
    """Reads one table or query; the window, `source_where` and the choice of columns are done by PostgreSQL."""

    @contextmanager
    def open(self, request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> Iterator[Iterator[Piece]]:
        with watch_of(request.connection) as watch:

            def explain(error: duckdb.Error) -> RegularsError:
                return watch.error(_place(request)) or source_error(request, str(error))

            database = unique_name("source")
            sessions: list[duckdb.DuckDBPyConnection] = []
            try:
                with ThreadPoolExecutor(1) as beside, ExitStack() as held:
                    loading = beside.submit(load_extension, engine, "postgres_scanner")
                    reading = _read_from(request, watch)
                    reading, snapshot, state = _moment(request, reading, held, watch)  # while it loads
                    loading.result()
                    with watch.opening():
                        attach(engine, request.connection, database)
                        ranges = _begin(request, reading, engine, database, sessions, snapshot)
                free: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
                for session in sessions:
                    free.put(session)
                lend = (lambda: _lent(free)) if ranges else None
                pieces = [
                    replace(_piece(request, reading, database, pages, state), explain=explain, session=lend)
                    for pages in (ranges or (None,))
                ]
                yield iter(pieces)
            except duckdb.Error as error:
                raise explain(error) from None
            except TransientError as error:
                raise (watch.error(_place(request)) or error) from None
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
        return is_live(request)

    def is_dated(self, request: Request) -> bool:
        return is_dated(request)


def source_error(request: Request, text: str) -> RegularsError:
    """Ours for what the driver said, without addresses or passwords."""
    return rewritten(_place(request), text)


def _place(request: Request) -> str:
    return f"{request.source.connection}: table {request.table}"


def _moment(request: Request, reading: Reading, held: ExitStack, watch: Watch) -> tuple[Reading, str, dict[str, str]]:
    """The snapshot that is read, which lives as long as `held` or is any where it is empty; and the table's state in it."""
    snapshot = str(request.connection.options.get("snapshot") or "")
    if not has_state(request) and (snapshot or reading.pages <= LEAST_PAGES):
        return reading, snapshot, {}
    try:
        session, snapshot = held.enter_context(shared_session(request.connection, snapshot))
    except SourceError:  # a server that lends no snapshot
        if has_state(request):
            raise
        return replace(reading, pages=0), "", {}
    if not has_state(request):
        return reading, snapshot, {}
    with watch.following(session.fileno()):
        return reading, snapshot, {"state": read_state(session, reading.relation)}


def _begin(
    request: Request,
    reading: Reading,
    engine: duckdb.DuckDBPyConnection,
    database: str,
    sessions: list[duckdb.DuckDBPyConnection],
    snapshot: str,
) -> Sequence[tuple[int, int]]:
    """Begin `sessions`, which all show one moment, and cut the table into its ranges; none where one stream is to do."""
    sessions.append(engine)
    join_snapshot(engine, database, snapshot)
    least, share = (LEAST_OF_TRANSFER, SHARE_OF_TRANSFER) if has_state(request) else (LEAST_PAGES, SHARE)
    if reading.pages <= least:
        return ()
    # Asked again, now that what is read is fixed: a page that was added before is seen, one added since holds nothing.
    size = f"from postgres_query('{database}', {quote(size_query(reading.relation))})"
    pages = int((engine.execute(size).fetchone() or (0,))[0])
    ranges = page_ranges(pages, least, share)
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


def _piece(
    request: Request, reading: Reading, database: str, pages: tuple[int, int] | None, state: dict[str, str]
) -> Piece:
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
            **state,
        },
        count=f"select * from postgres_query('{database}', {quote(counting)})",
        repeated=reading.repeated,
    )


def _read_from(request: Request, watch: Watch) -> Reading:
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
            reading = push_down(request, inner, table, {column.name: column for column in described})
            if source.table and not source.query and not source.source_where:
                reading = replace(reading, pages=scanned_pages(session, inner, reading.query()))
            return reading
    except TransientError as error:
        raise (watch.error(_place(request)) or error) from None
    except SourceError as error:
        raise SourceError(
            f"{source.connection}: {table} (for table {request.table}): {error.message}", remedy=error.remedy
        ) from None

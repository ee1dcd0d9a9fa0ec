"""Kind `warehouse`: tables and views that others keep in the warehouse itself, such as a dimension that was there before us.

They are read and never written. Landed like any other source, a day of them stays what it was, whatever becomes of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel, ConfigDict

from regulars.engine import identifier
from regulars.engine_errors import without_values
from regulars.errors import ConfigError, RegularsError, SourceError
from regulars.sources.base import Piece, Request
from regulars.sources.csv_files import repeated_names, unique_names
from regulars.sources.options import checked
from regulars.sources.parquet_files import parquet_piece
from regulars.sources.push_down import is_live, needed_columns
from regulars.warehouse.existing import ExistingTables, open_existing

ELSEWHERE = ("query", "path", "cursor", "spreadsheet")  # fields of a table that other kinds have


class Options(BaseModel):
    """Options of the connection: there are none, the settings name the warehouse."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Reading:
    """A SELECT for the engine; `types` are the DuckDB types to make of what arrives, by name."""

    query: str
    types: dict[str, str]
    repeated: frozenset[str]


class WarehouseReader:
    """Reads one table or view; `source_where` and the choice of columns are done by the engine."""

    @contextmanager
    def open(self, request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> Iterator[Iterator[Piece]]:
        parts, target = _parts(request), spool / "source.parquet"
        with _named(request), open_existing(request.settings) as tables:
            reading = _reading(request, tables, parts)
            tables.write(reading.query, target)
        yield iter([_piece(request, reading, target, engine, spool)])

    def plan(self, request: Request) -> list[dict[str, Any]]:
        parts = _parts(request)
        with _named(request), open_existing(request.settings) as tables:
            reading = _reading(request, tables, parts)
        window = request.window
        return [
            {
                "table": request.table,
                "from": request.source.connection,
                "source": request.source.table,
                "query": reading.query,
                "where": request.source.where,
                "columns": list(reading.types),
                "window": [moment.isoformat() for moment in window] if window else None,
                "window_is_pushed_down": False,
            }
        ]

    def is_live(self, request: Request) -> bool:
        return is_live(request)

    def is_dated(self, request: Request) -> bool:
        return False


def _parts(request: Request) -> list[str]:
    """Names of the table. Raises ConfigError where the entry does not name one."""
    source, place = request.source, f"sources.yml: tables.{request.table}"
    checked(Options, request.connection.options, f"connections.{source.connection}.options")
    for field in ELSEWHERE:
        if getattr(source, field):
            raise ConfigError(f"{place}.{field}: kind warehouse does not have it", remedy="name a table or view")
    parts = (source.table or "").split(".")
    if len(parts) not in (2, 3) or not all(parts):
        raise ConfigError(
            f"{place}: kind warehouse needs the table with its schema",
            remedy="add table: schema.name, or database.schema.name",
        )
    return parts


def _reading(request: Request, tables: ExistingTables, parts: list[str]) -> Reading:
    """What to ask for, in the order of the values: equal tables are equal batches, wherever their rows lie."""
    columns = {name: (sql, kind) for name, sql, kind in tables.columns(parts)}
    if not columns:
        raise SourceError(
            f"{tables.place} does not have it, or does not show it to this role",
            remedy="correct table in sources.yml, or grant usage on its schema and select on it to the role of the flows",
        )
    needed = needed_columns(request, list(columns))
    repeated = repeated_names(needed)
    called = {name: alias.lower() for name, alias in zip(needed, unique_names(needed), strict=True)}
    items = ", ".join(f"{columns[name][0]} as {identifier(alias)}" for name, alias in called.items())
    condition = f" where ({request.source.source_where})" if request.source.source_where else ""
    places = ", ".join(str(number) for number in range(1, len(called) + 1))
    return Reading(
        f"select {items} from {tables.relation(parts)}{condition} order by {places}",
        {alias: columns[name][1] for name, alias in called.items()},
        repeated,
    )


def _piece(request: Request, reading: Reading, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    name = f"{request.source.connection}.{request.source.table}"
    piece = parquet_piece(request, name, path, engine, spool)
    recast = [column for column, kind in piece.columns if kind != reading.types[column]]
    casts = ", ".join(f"cast({identifier(c)} as {reading.types[c]}) as {identifier(c)}" for c in recast)
    return replace(
        piece,
        relation=f"select * replace ({casts}) from ({piece.relation})" if casts else piece.relation,
        columns=tuple((column, reading.types[column]) for column, _ in piece.columns),
        repeated=reading.repeated,
        position={"table": request.source.table, "window": None},
        explain=lambda error: SourceError(f"{name}: {without_values(str(error))}", remedy="run again"),
    )


@contextmanager
def _named(request: Request) -> Iterator[None]:
    """Errors of the body say which table and connection they are about."""
    try:
        yield
    except RegularsError as error:
        raise type(error)(
            f"{request.source.connection}: {request.source.table} (for table {request.table}): {error.message}",
            remedy=error.remedy,
        ) from None

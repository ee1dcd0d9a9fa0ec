"""Rows of a table to look at: read as a landing would read them, and kept in a table of the local engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from regulars.contracts import Column, Contract
from regulars.discovery.csv_shape import read_options_of
from regulars.discovery.found import Shelf
from regulars.engine import identifier, quote
from regulars.errors import RegularsError, SourceError
from regulars.settings import Settings
from regulars.sources import reader_for
from regulars.sources.base import Request, make_request
from regulars.sources.config import Connection, Sources, TableSource
from regulars.sources.options import ReadOptions
from regulars.sources.places import find_files

DAY = "_regulars_day"
ANY_DAY = date(2000, 1, 1)


@dataclass(frozen=True)
class Sample:
    """A table `name` of the engine with the source's columns and the day of its file; `read` options it took, and why."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: int
    days: tuple[date, ...]
    read: dict[str, Any]
    read_why: tuple[str, ...]
    is_whole: bool


def take_sample(
    shelf: Shelf, connection: Connection, settings: Settings, engine: duckdb.DuckDBPyConnection, spool: Path, rows: int
) -> Sample:
    """Up to `rows` rows, in equal shares of the shelf's samples. Raises what reading raises, and SourceError for no rows."""
    share = max(1, rows // len(shelf.samples))
    read: dict[str, Any] = {}
    whys: list[str] = []
    parts: list[Path] = []
    is_whole = shelf.is_all
    days = sorted({day for _, day in shelf.samples if day})
    for number, (entry, day) in enumerate(shelf.samples):
        if number == 0 and "path" in entry:
            read, whys = _read_options(_request(shelf, entry, {}, connection, settings), engine, spool)
        request = _request(shelf, entry, read, connection, settings)
        folder = spool / f"{shelf.table}-{number}"
        folder.mkdir()
        try:
            taken = _take(request, engine, folder, share, day)
        except RegularsError as error:
            raise type(error)(f"table {shelf.table}: {error.message}", remedy=error.remedy) from None
        parts += [name for name, _ in taken]
        is_whole &= sum(count for _, count in taken) < share
    files = ", ".join(quote(str(part)) for part in parts)
    engine.execute(
        f"create or replace temp table looked_at as select * from read_parquet([{files}], union_by_name = true)"
    )
    described = engine.execute("describe looked_at").fetchall()
    columns = tuple((str(row[0]), str(row[1])) for row in described if row[0] != DAY)
    count = int((engine.execute("select count(*) from looked_at").fetchone() or (0,))[0])
    if not count:
        raise SourceError(
            f"table {shelf.table}: no row to look at in {shelf.of}", remedy="give files or a table with rows"
        )
    return Sample("looked_at", columns, count, tuple(days), read, tuple(whys), is_whole)


def _request(
    shelf: Shelf, entry: dict[str, Any], read: dict[str, Any], connection: Connection, settings: Settings
) -> Request:
    anything = Column(name="anything", data_type="varchar", description="not known yet")
    contract = Contract(
        source="discovered", table=shelf.table, description="not known yet", columns=(anything,), mode="snapshot",
        key=("anything",), owner="nobody",
    )  # fmt: skip
    source = TableSource.model_validate({"from": "discovered", **entry, "read": read})
    sources = Sources(connections={"discovered": connection}, tables={shelf.table: source})
    return make_request(contract, sources, settings, ANY_DAY)


def _read_options(request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> tuple[dict[str, Any], list[str]]:
    (file,) = find_files(request, request.source.path or "")[:1]
    kind = ReadOptions().format_of(file.name)
    return read_options_of(Path(file.path), kind, engine, spool)


def _take(
    request: Request, engine: duckdb.DuckDBPyConnection, spool: Path, rows: int, day: date | None
) -> list[tuple[Path, int]]:
    """Files with the first rows of each piece, `rows` together; a reader's own tables end with its transaction."""
    taken: list[tuple[Path, int]] = []
    left = rows
    literal = f"date '{day.isoformat()}'" if day else "cast(null as date)"
    with reader_for(request.connection.kind).open(request, engine, spool) as pieces:
        for piece in pieces:
            target = spool / f"looked-at-{len(taken)}.parquet"
            listed = ", ".join(identifier(column) for column, _ in piece.columns)
            first = f"select {listed}, {literal} as {DAY} from ", f" limit {left}"
            try:
                made = _copy(engine, f"({piece.relation})".join(first), target)
            except duckdb.Error as error:
                if piece.salvage is None:
                    raise (piece.explain(error) if piece.explain else error) from None
                # A damaged file is read again, record by record; what cannot be read is left out here.
                made = _copy(engine, f"({piece.salvage(str(error)).relation})".join(first), target)
            taken.append((target, made))
            left -= made
            if left <= 0:
                break
    return taken


def _copy(engine: duckdb.DuckDBPyConnection, select: str, target: Path) -> int:
    row = engine.execute(f"copy ({select}) to {quote(str(target))} (format parquet)").fetchone()
    return int(row[0]) if row else 0


def counted(values: Sequence[tuple[str, int]]) -> str:
    """Values with how often they are there, for a comment."""
    return ", ".join(f"{json.dumps(value, ensure_ascii=False)} {count:,}" for value, count in values)

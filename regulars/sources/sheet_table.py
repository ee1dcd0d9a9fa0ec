"""The tab of a sheet as a table: rows in the spool, and SQL that gives them names and makes text of everything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from regulars.engine import identifier, quote
from regulars.errors import ConfigError, ContractError, SourceError
from regulars.sources.base import RESERVED, Piece, Request
from regulars.sources.csv_files import check_width, repeated_names, unique_names
from regulars.sources.expressions import match_column
from regulars.sources.push_down import needed_columns
from regulars.sources.sheet_header import TOP_ROWS, Row, find_header, header_name

SCHEMA = pa.schema([("row", pa.int64()), ("cells", pa.list_(pa.string()))])
BATCH_ROWS = 5_000
SHOWN_NAMES = 20
EXPRESSION = re.compile(r"[('\"]")  # what a name in sources.yml seldom has
RECORD = f"{RESERVED}record"
TAB, ROW = "_tab", "_row"  # what every row knows of its place, beside the columns of the sheet
# A bare number in a column of dates: from 1908-03-18, because a smaller one may be a year, to 9999-12-31.
FIRST_SERIAL, END_SERIAL = 3_000, 2_958_466
SERIAL = r"\d{4,7}(\.\d+)?"
EPOCH = "1899-12-30"  # day 0 of serial numbers, where a workbook does not say otherwise


@dataclass(frozen=True)
class Tab:
    """Filled rows of one tab: `path` is a Parquet file of (row, cells), `top` the first of them. `source` is the name that
    quarantine and manifest show; `epoch` day 0 of its serial numbers."""

    source: str
    name: str
    path: Path
    top: tuple[Row, ...]
    position: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    epoch: str = EPOCH


@dataclass(frozen=True)
class Table:
    """Where the table of a tab lies: row number of the header, and the position (from 1) of every column by its name."""

    tab: Tab
    header: int
    columns: dict[str, int]
    repeated: frozenset[str]
    dates: frozenset[str]
    notes: tuple[str, ...]


class NoTable(ContractError):
    """There is no tab of that name, or not one filled row in it."""


def write_rows(rows: Iterable[Row], path: Path) -> tuple[Row, ...]:
    """Write the filled rows to a Parquet file; the first of them."""
    filled = (row for row in rows if _trim(row[1]))
    top: list[Row] = []
    with pq.ParquetWriter(path, SCHEMA, compression="lz4", use_dictionary=False) as file:
        while batch := list(islice(filled, BATCH_ROWS)):
            top += batch[: TOP_ROWS - len(top)]
            numbers, cells = zip(*batch, strict=True)
            file.write_batch(pa.record_batch([pa.array(numbers), pa.array(cells, SCHEMA.types[1])], schema=SCHEMA))
    return tuple(top)


def _trim(cells: list[str | None]) -> bool:
    """Take empty cells off the end; whether any cell is left."""
    while cells and cells[-1] is None:
        cells.pop()
    return bool(cells)


def header_of(request: Request, name: str, top: tuple[Row, ...]) -> Row:
    """The row of the header: `header_row`, or the one that looks like it. Raises NoTable where nothing is filled, ContractError where it is empty."""
    wish = request.source.header_row
    if not top:
        raise NoTable(
            f"{name} is empty: not even a header",
            remedy=f"correct tabs of {request.entry} in sources.yml, or have the sheet filled; a sheet without rows "
            "still needs its header",
        )
    found = (
        find_header(top, asked_names(request)) if wish is None else next((row for row in top if row[0] == wish), None)
    )
    if found is None:
        raise ContractError(
            f"{name}: row {wish} is empty, or lies below the first {TOP_ROWS} filled rows",
            remedy=f"correct header_row of {request.entry} in sources.yml, or leave it out",
        )
    return found


def asked_names(request: Request) -> list[str]:
    """Names of the columns that the table asks for, without expressions over them."""
    asked = [request.source.columns.get(name, name) for name in request.contract.by_name]
    return [
        header_name(name) for name in asked if not EXPRESSION.search(name) and name.lower() not in ("null", TAB, ROW)
    ]


def table_of(request: Request, tab: Tab, engine: duckdb.DuckDBPyConnection) -> Table:
    """Names of the columns; those without a name and without a value are left out. Raises ContractError."""
    header, cells = header_of(request, tab.source, tab.top)
    rows = f"select cells from read_parquet({quote(str(tab.path))}) where row > {header}"
    found = engine.execute(f"select coalesce(max(len(cells)), 0) from ({rows})").fetchone()
    width = max(len(cells), int(found[0]) if found else 0)
    check_width(tab.source, width, request.read)
    names = [header_name(cell) for cell in cells] + [""] * (width - len(cells))
    nameless = [place for place, name in enumerate(names, start=1) if not name]
    if nameless:
        tests = ", ".join(f"coalesce(bool_or(cells[{place}] is not null), false)" for place in nameless)
        filled = engine.execute(f"select {tests} from ({rows})").fetchone() or ()
        nameless = [place for place, is_filled in zip(nameless, filled, strict=True) if not is_filled]
    called = unique_names([TAB, ROW, *(name or f"column{place}" for place, name in enumerate(names, start=1))])[2:]
    columns = {name: place for place, name in enumerate(called, start=1) if place not in nameless}
    skipped = [number for number, _ in tab.top if number < header]
    notes = [f"{tab.source}: the header is row {header}; rows above it are left out: {', '.join(map(str, skipped))}"]
    return Table(
        tab,
        header,
        columns,
        repeated_names(names),
        frozenset(_date_columns(request, list(columns))),
        (*tab.notes, *(notes if skipped else []), *_order_notes(request, tab, columns)),
    )


def _date_columns(request: Request, names: list[str]) -> Iterator[str]:
    """Columns in which a bare number is a day: the contract says so, or `dates`."""
    source = request.source
    for wish in source.dates:
        found = match_column(wish, names)
        if found is None:
            raise ContractError(
                f"table {request.table}: dates names {wish}, which the sheet has not",
                remedy=f"correct dates of {request.entry} in sources.yml",
            )
        yield found
    for column in request.contract.columns:
        found = match_column(source.columns.get(column.name, column.name), names)
        if found and column.data_type in ("date", "timestamp"):
            yield found


def _order_notes(request: Request, tab: Tab, columns: dict[str, int]) -> Iterator[str]:
    """What differs from what is asked for and does no harm: other order, and columns that nothing asks for."""
    names = list(columns)
    found = [name for wish in asked_names(request) if (name := match_column(wish, names))]
    reach, moved = 0, []
    for name in found:
        if columns[name] < reach:
            moved.append(name)
        reach = max(reach, columns[name])
    if moved:
        yield f"{tab.source}: columns stand in another order than expected, and are found by name: {_listed(moved)}"
    with suppress(ConfigError):  # a column that is not there: the mapping says so
        read = set(needed_columns(request, names))
        unread = [name for name in names if name not in read]
        if unread:
            yield f"{tab.source}: columns that nothing asks for: {_listed(unread)}"


def _listed(names: list[str]) -> str:
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def select_rows(table: Table, names: Iterable[str], *, record: bool = False) -> str:
    """SELECT of `_tab`, `_row` and the named columns as text, below the header and in order; absent ones are null."""
    items = [f"{quote(table.tab.name)} as {TAB}", f"cast(row as varchar) as {ROW}"]
    items += [f"{_cell(table, name)} as {identifier(name)}" for name in names]
    items += [f"row as {RECORD}"] if record else []
    return f"select {', '.join(items)} from read_parquet({quote(str(table.tab.path))}) where row > {table.header}"


def _cell(table: Table, name: str) -> str:
    found = next((known for known in table.columns if known.lower() == name.lower()), None)
    if found is None:
        return "cast(null as varchar)"
    cell = f"cells[{table.columns[found]}]"
    if found not in table.dates:
        return cell
    number = f"try_cast({cell} as double)"
    moment = f"timestamp '{table.tab.epoch}' + to_milliseconds(cast(round({number} * 86400000) as bigint))"
    return (
        f"case when regexp_full_match({cell}, {quote(SERIAL)}) and {number} >= {FIRST_SERIAL} and {number} < {END_SERIAL} "
        f"then case when contains({cell}, '.') then cast({moment} as varchar) else cast(cast({moment} as date) as varchar) "
        f"end else {cell} end"
    )


def piece_of(request: Request, tab: Tab, engine: duckdb.DuckDBPyConnection, *, is_windowed: bool) -> Piece:
    """The table of a tab as landing reads it; a record number is the sheet's own row number.

    `_tab` and `_row` are columns to `columns:`, and no surplus where nothing is mapped.
    """
    table = table_of(request, tab, engine)
    own = [TAB, ROW] if request.source.columns else []
    return Piece(
        tab.source,
        select_rows(table, table.columns, record=True),
        tuple((name, "VARCHAR") for name in [*own, *table.columns]),
        record=RECORD,
        count=f"select count(*) from read_parquet({quote(str(tab.path))}) where row > {table.header}",
        is_windowed=is_windowed,
        repeated=table.repeated,
        position={**tab.position, "tab": tab.name, "header_row": table.header},
        notes=table.notes,
        explain=lambda error: SourceError(f"{tab.source}: its rows cannot be read again", remedy="run again"),
    )

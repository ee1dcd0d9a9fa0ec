"""Intake of a sheet: read by its reader, brought under the names of its contract, and copied into the operational store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from regulars.contracts import Contract
from regulars.engine import local_engine, quote
from regulars.errors import ConfigError, ContractError
from regulars.mapping import bind, map_columns
from regulars.postgres.intake import ROW, TAB, CsvFile, TakenIn, take_in
from regulars.postgres.plain_exports import plain_export
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources import reader_for
from regulars.sources.base import Piece, Request, make_request
from regulars.sources.config import Sources
from regulars.spool import open_spool

KIND = "sheet"


@dataclass(frozen=True)
class SheetTakenIn:
    """What became of one sheet: `rows_filtered` a `where` of ours left out, `notes` say what was odd and did no harm."""

    taken: TakenIn
    rows_filtered: int
    notes: tuple[str, ...]


def take_in_sheet(
    connection: psycopg.Connection[Any], contract: Contract, sources: Sources, settings: Settings, run: Run, *,
    refresh: bool = False,
) -> SheetTakenIn:  # fmt: skip
    """Replace `raw.<table>` by the filled rows of the sheet that `sheets:` of sources.yml names, every cell as text.

    Nothing is written where the sheet says what it said before, unless `refresh`. Raises ContractError for columns that
    are not the contract's, with the nearest names, and what the reader and `take_in` raise; the table stays as it was.
    """
    request = make_request(contract, sources.of_sheets, settings, run.as_of, entry=f"sheets.{contract.table}")
    if request.connection.kind != KIND:
        raise ConfigError(
            f"sources.yml: sheets.{contract.table}.from: connection {request.source.connection} is not of kind {KIND}",
            remedy="a CSV file or a workbook is one too: connections with kind: sheet and a path",
        )
    with open_spool(settings) as spool:
        return _copied(connection, request, run, spool, refresh) or _read(connection, request, run, spool, refresh)


def _copied(
    connection: psycopg.Connection[Any], request: Request, run: Run, spool: Path, refresh: bool
) -> SheetTakenIn | None:
    """A plain export, whose bytes go through COPY as they are; None for any other, and for one that COPY refuses."""
    file = plain_export(request, spool)
    if file is None:
        return None
    columns = list(request.contract.by_name)
    try:
        taken = take_in(connection, request.table, columns, file, run, refresh=refresh, is_last_try=False)
    except ContractError:
        return None
    return SheetTakenIn(taken, 0, ())


def _read(connection: psycopg.Connection[Any], request: Request, run: Run, spool: Path, refresh: bool) -> SheetTakenIn:
    """Any sheet, read by its reader."""
    columns = list(request.contract.by_name)
    with local_engine(request.settings, spool) as engine:
        with reader_for(request.connection.kind).open(request, engine, spool) as opened:
            pieces = list(opened)
            path, filtered = _write_csv(request, pieces, engine, spool)
        file = CsvFile(path, (TAB, ROW, *columns), name=", ".join(piece.source for piece in pieces))
        taken = take_in(connection, request.table, columns, file, run, refresh=refresh, rows_filtered=filtered)
    notes = dict.fromkeys(note for piece in pieces for note in piece.notes)
    return SheetTakenIn(taken, filtered, tuple(notes))


def _write_csv(
    request: Request, pieces: Sequence[Piece], engine: duckdb.DuckDBPyConnection, spool: Path
) -> tuple[Path, int]:
    """The rows of all tabs as CSV without a header, under the contract's columns; and how many `where` left out."""
    path, kept, total = spool / "sheet.csv", 0, 0
    tab = "''" if _is_one_csv(request, pieces) else TAB
    rows = [_select(request, piece, engine, tab) for piece in pieces]
    try:
        found = engine.execute(
            f"copy ({' union all '.join(rows)}) to {quote(str(path))} (format csv, header false, delimiter ',', nullstr '')"
        ).fetchone()
        kept = int(found[0]) if found else 0
        for piece in pieces if request.source.where else ():
            counted = engine.execute(piece.count or f"select count(*) from ({piece.relation})").fetchone()
            total += int(counted[0]) if counted else 0
    except duckdb.ConversionException:
        raise ContractError(
            f"an expression under {request.entry} in sources.yml cannot convert a value",
            remedy="leave the cell as it is: mapping and staging make a type of it, or let its row wait",
        ) from None
    return path, max(total - kept, 0)


def _is_one_csv(request: Request, pieces: Sequence[Piece]) -> bool:
    """Whether the sheet is a single CSV file, which has no tabs to tell apart."""
    files = [str(piece.position.get("file") or "") for piece in pieces]
    return len(files) == 1 and bool(files[0]) and request.read.format_of(Path(files[0]).name) == "csv"


def _select(request: Request, piece: Piece, engine: duckdb.DuckDBPyConnection, tab: str) -> str:
    """SELECT of place and cells of a tab, in the order of the contract."""
    fit = map_columns(request, piece, lambda text, place: bind(request, engine, piece, text, place))
    reckoned = [name for name, mapped in fit.columns.items() if mapped.numbers]
    if reckoned:
        raise ConfigError(
            f"sources.yml: {request.entry}.columns.{reckoned[0]}: cells are text here, there is no reckoning with them",
            remedy="name the column as it is: the mapping tables make numbers of it",
        )
    cells = ", ".join(_cell(request, mapped.sql) for mapped in fit.columns.values())
    kept = ""
    if request.source.where:
        kept = f" where {bind(request, engine, piece, request.source.where, f'{request.entry}.where').sql}"
    return f"select {tab} as {TAB}, {ROW}, {cells} from ({piece.relation}) as sheet{kept}"


def _cell(request: Request, value: str) -> str:
    text = f"cast({value} as varchar)"
    nothing = ", ".join(map(quote, request.read.null_values))
    return f"case when {text} not in ({nothing}) then {text} end" if nothing else text

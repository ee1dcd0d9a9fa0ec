"""A shared sheet as one CSV file, for stores that take it in by COPY."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from regulars.engine import quote
from regulars.sources.base import Request
from regulars.sources.csv_files import check_width
from regulars.sources.sheet import read_tabs
from regulars.sources.sheet_table import ROW, TAB, select_rows, table_of


@dataclass(frozen=True)
class SheetCsv:
    """`columns` are the names in the header line, in order; `rows` are counted without it; `notes` say what was found."""

    path: Path
    columns: tuple[str, ...]
    rows: int
    notes: tuple[str, ...]


def write_sheet_csv(request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> SheetCsv:
    """Every filled row below the headers of the table's tabs as UTF-8 CSV at `<spool>/sheet.csv`.

    First columns `_tab` and `_row` (name of the tab, row number in it), then the sheet's own: those of the first tab, then
    what later ones add; a tab that lacks one has nulls there. All cells are text, an empty one is null: written as nothing
    between two commas. Lines end with LF. Raises what reading raises.
    """
    tables = [table_of(request, tab, engine) for tab in read_tabs(request, spool)]
    names: dict[str, str] = {}  # by lower case: tabs may differ in that
    for table in tables:
        for name in table.columns:
            names.setdefault(name.lower(), name)
    check_width(request.table, len(names), request.read)
    path = spool / "sheet.csv"
    rows = " union all ".join(select_rows(table, names.values()) for table in tables)
    done = engine.execute(f"copy ({rows}) to {quote(str(path))} (format csv, header true, delimiter ',', nullstr '')")
    count = done.fetchone()
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    return SheetCsv(path, (TAB, ROW, *names.values()), int(count[0]) if count else 0, notes)

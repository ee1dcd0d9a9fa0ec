"""Spreadsheets (xlsx, xls, ods): one sheet as text, cell by cell as the file stores it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import python_calamine

from regulars.errors import ContractError
from regulars.sources.csv_files import unique_names
from regulars.sources.options import ReadOptions


def read_sheet(path: Path, read: ReadOptions, name: str) -> pa.Table:
    """A sheet as a table of text, with `sheet_record`, the 1-based record below the header; empty rows are left out.

    `read.sheet` is a name or a 0-based position (default: the first), `read.skip` the rows above the header. Numbers
    are written in full without exponent, dates in ISO form. Raises ContractError where there is no such sheet.
    """
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        sheet = (
            book.get_sheet_by_name(read.sheet)
            if isinstance(read.sheet, str)
            else book.get_sheet_by_index(read.sheet or 0)
        )
    except (python_calamine.CalamineError, python_calamine.WorksheetNotFound, OSError, IndexError) as error:
        raise ContractError(
            f"{name}: sheet {read.sheet if read.sheet is not None else 0!r} cannot be read: {type(error).__name__}",
            remedy="set read: {sheet: <name>} to one the workbook has, or have the file delivered again",
        ) from None
    rows = sheet.iter_rows()
    for _ in range(read.skip):
        next(rows, None)
    first = next(rows, None)
    if first is None:
        raise ContractError(
            f"{name}: the sheet is empty", remedy="set read: {sheet: <name>, skip: <rows above the header>}"
        )
    cells = [cell_text(cell) or "" for cell in first]
    columns = list(read.names) or unique_names(cells if read.header else [""] * len(cells))
    width = len(columns)
    gathered: list[list[str | None]] = [[] for _ in columns]
    records: list[int] = []
    body = rows if read.header else _chain(first, rows)
    for number, row in enumerate(body, start=1):
        texts = [cell_text(cell) for cell in row[:width]]
        if any(text is not None for text in texts):
            records.append(number)
            for values, text in zip(gathered, texts + [None] * (width - len(texts)), strict=True):
                values.append(text)
    arrays = [pa.array(values, pa.string()) for values in gathered]
    return pa.table([*arrays, pa.array(records, pa.int64())], names=[*columns, "sheet_record"])


def cell_text(cell: object) -> str | None:
    """One cell as text; None for an empty one."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else format(Decimal(repr(cell)), "f")
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def _chain(first: list[object], rest: object):  # type: ignore[no-untyped-def]
    yield first
    yield from rest  # type: ignore[misc]

"""Exports of a sheet that COPY can take as they are: CSV whose columns are the contract's, under whatever names.

Any other export goes through the reader of sheets, and so does one that COPY refuses: the reader pads short rows and says
what is wrong with others. Either way the table is the same, but for days that are bare numbers: the reader makes days of
them, of copied ones staging does.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from regulars.postgres.intake import CsvFile
from regulars.sources.base import Request
from regulars.sources.expressions import match_column
from regulars.sources.intake import take_in
from regulars.sources.sheet import is_export
from regulars.sources.sheet_exports import find_delimiter, find_exports
from regulars.sources.sheet_header import TOP_ROWS, Row, header_name
from regulars.sources.sheet_table import header_of

BOM = b"\xef\xbb\xbf"


def plain_export(request: Request, spool: Path) -> CsvFile | None:
    """The table's export for COPY; None where it is not one CSV file of just these columns, or cells are to be changed."""
    source = request.source
    moments = [column for column in request.contract.columns if column.data_type == "timestamp"]
    is_changed = source.where or source.dates or moments or request.read.null_values
    if not is_export(request) or is_changed or source.tabs or not request.read.quote:
        return None
    files = find_exports(request)
    if len(files) != 1 or request.read.format_of(files[0].name) != "csv":
        return None
    path = take_in(request, files[0], "csv", spool)
    delimiter = request.read.delimiter or find_delimiter(path, request)
    with open(path, "rb") as stream:
        try:
            top = _top(stream, delimiter, request.read.quote)
        except (csv.Error, UnicodeDecodeError):
            return None
    header, cells = header_of(request, files[0].name, tuple(row for row, _ in top if any(row[1])))
    [end] = [end for (number, _), end in top if number == header]
    columns = _columns(request, [header_name(cell) for cell in cells])
    if columns is None or len(delimiter) > 1:
        return None
    return CsvFile(
        path, tuple(columns.values()), skip=end, first_row=header + 1, delimiter=delimiter, quote=request.read.quote,
        name=files[0].name, is_export=True,
    )  # fmt: skip


def _top(stream: BinaryIO, delimiter: str, quote: str) -> list[tuple[Row, int]]:
    """The first records with their numbers, and the byte at which each ends."""
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for line in stream:
            text = line.removeprefix(BOM) if read == 0 else line
            read += len(line)
            yield text.decode()

    found: list[tuple[Row, int]] = []
    filled = 0
    for number, cells in enumerate(csv.reader(lines(), delimiter=delimiter, quotechar=quote, strict=True), start=1):
        row: Row = (number, [cell or None for cell in cells])
        while row[1] and row[1][-1] is None:
            row[1].pop()
        found.append((row, read))
        filled += bool(row[1])
        if filled == TOP_ROWS:
            break
    return found


def _columns(request: Request, names: list[str]) -> dict[str, str] | None:
    """Column of the contract by name in the header, in its order; None where they are not one to one."""
    found: dict[str, str] = {}
    for column in request.contract.columns:
        text = request.source.columns.get(column.name, column.name)
        if text.strip().lower() == "null":
            continue
        name = match_column(text, names)
        if name is None or name in found:
            return None
        found[name] = column.name
    is_one_to_one = len({name.lower() for name in names}) == len(names) == len(found)
    return {name: found[name] for name in names} if is_one_to_one else None

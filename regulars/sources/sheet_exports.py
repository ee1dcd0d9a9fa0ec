"""Exports of a shared sheet: CSV and workbooks, read as the sheet itself would be."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from regulars.errors import ConfigError, ContractError
from regulars.sources.base import Request
from regulars.sources.csv_files import check_width
from regulars.sources.intake import take_in
from regulars.sources.places import SourceFile, find_files
from regulars.sources.sheet_header import Row
from regulars.sources.sheet_table import Tab, write_rows
from regulars.sources.workbooks import write_cells_apart

DELIMITERS = ",;\t|"
SNIFFED_ROWS = 200


def find_exports(request: Request) -> list[SourceFile]:
    """The files of the table's `path`. Raises ConfigError without one."""
    if request.source.path is None:
        raise ConfigError(
            f"sources.yml: {request.entry}: a connection with a path needs the path of the exported file",
            remedy='add path: "ClientData_*.csv"',
        )
    return find_files(request, request.source.path)


def read_exports(request: Request, spool: Path) -> Iterator[Tab]:
    """The tabs of the exported files, in order. Raises ConfigError, ContractError or SourceError."""
    for number, file in enumerate(find_exports(request)):
        kind = request.read.format_of(file.name)
        if kind not in ("csv", "xlsx"):
            raise ConfigError(
                f"{file.name}: an exported sheet is CSV or a workbook", remedy="use kind: files for other formats"
            )
        path, target = take_in(request, file, kind, spool), spool / f"export-{number}"
        yield from _workbook(request, file, path, target) if kind == "xlsx" else [_csv(request, file, path, target)]


def _workbook(request: Request, file: SourceFile, path: Path, target: Path) -> Iterator[Tab]:
    wishes: list[str | int] = [*request.source.tabs] or [0]
    for number, wish in enumerate(wishes):
        cells = target.with_name(f"{target.name}-{number}.csv")
        facts = write_cells_apart(request, file.name, path, cells, wish, header=False)
        check_width(file.name, int(facts["width"]), request.read)
        rows = target.with_name(f"{target.name}-{number}.parquet")
        with open(cells, encoding="utf-8", newline="") as text:
            found = ((int(row[0]), _cells([""] * int(facts["left"]) + row[1:])) for row in _records(text))
            top = write_rows(found, rows)
        cells.unlink()
        epoch = "1904-01-01" if facts["is_1904"] else "1899-12-30"
        source = f"{file.name}!{facts['name']}"
        yield Tab(source, str(facts["name"]), rows, top, {"file": file.path, "bytes": file.bytes}, epoch=epoch)


def _csv(request: Request, file: SourceFile, path: Path, target: Path) -> Tab:
    if request.source.tabs:
        raise ConfigError(
            f"sources.yml: {request.entry}.tabs: {file.name} is CSV, which has no tabs",
            remedy="leave tabs out, or name several files by a pattern in path",
        )
    rows = target.with_suffix(".parquet")
    delimiter = request.read.delimiter or find_delimiter(path, request)
    with open(path, encoding="utf-8-sig", newline="") as text:
        found = _whole_rows(text, delimiter, request, file.name)
        top = write_rows(found, rows)
    return Tab(file.name, Path(file.name).stem, rows, top, {"file": file.path, "bytes": file.bytes})


def _whole_rows(text: Iterator[str], delimiter: str, request: Request, name: str) -> Iterator[Row]:
    number, widest = 0, request.read.max_columns
    try:
        for number, cells in enumerate(_records(text, delimiter, request.read.quote), start=1):
            if len(cells) > widest:
                check_width(name, len(cells), request.read)
            yield number, _cells(cells)
    except csv.Error as error:
        raise ContractError(
            f"{name}: row {number + 1} cannot be taken apart: {error}; nothing of it was landed",
            remedy="export it again, or correct delimiter and quote under read: of the table in sources.yml",
        ) from None
    except UnicodeDecodeError:
        raise ContractError(
            f"{name}: there are bytes behind row {number} that are not {request.read.encoding} text",
            remedy="set read: {encoding: cp1252} (or what it was saved in) of the table in sources.yml",
        ) from None


def _records(text: Iterator[str], delimiter: str = ",", quote: str = '"') -> Iterator[list[str]]:
    csv.field_size_limit(1 << 30)  # of the whole process: what a cell may hold is bounded by the file
    if not quote:
        return csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE, strict=True)
    return csv.reader(text, delimiter=delimiter, quotechar=quote, strict=True)


def _cells(texts: list[str]) -> list[str | None]:
    return [text or None for text in texts]


def find_delimiter(path: Path, request: Request) -> str:
    """The delimiter that cuts most of the first rows into equally many cells; of equals the one that makes more of them."""
    found = {}
    for delimiter in DELIMITERS:
        widths: Counter[int] = Counter()
        with open(path, encoding="utf-8-sig", newline="", errors="replace") as text, suppress(csv.Error):
            widths.update(len(cells) for cells in islice(_records(text, delimiter, request.read.quote), SNIFFED_ROWS))
        width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]), default=(0, 0))
        found[delimiter] = (width > 1, count, width)
    return max(DELIMITERS, key=lambda delimiter: found[delimiter])

"""Cells of a workbook as CSV, run as a process of its own: `python workbook_cells.py <JSON of arguments>`.

A cell far out makes the parser ask for memory for the whole rectangle and, where that fails, abort its process. So it
runs apart from ours, with limits of memory and time, and imports nothing but the parser and the standard library.
"""

from __future__ import annotations

import csv
import json
import posixpath
import resource
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

EXACT = 2**53  # numbers in a workbook are doubles: whole ones beyond this are not what was written
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LINKS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def write_cells(path: str, target: str, sheet: str | int, skip: int, header: bool, widest: int) -> dict[str, Any]:
    """Write record number and cells of every row that is not empty; facts for the reader in our process.

    The row after `skip` is record 0 where it is a header, else 1. Raises what the parser raises.
    """
    from python_calamine import CalamineWorkbook  # here, so that our own process can read the constants without it

    book = CalamineWorkbook.from_path(path)
    found = book.get_sheet_by_name(sheet) if isinstance(sheet, str) else book.get_sheet_by_index(sheet)
    width, left = found.width, found.start[1] if found.start else 0
    if width > widest:
        return {"width": width, "rows": 0, "line": 0}
    unread = unread_cells(path, found.name)
    rows = line = 0
    with open(target, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")  # so that it quotes a cell with either of them
        for position, row in enumerate(found.iter_rows()):
            if position < skip:
                continue
            texts = [cell_text(cell) for cell in row]
            for column, text in unread.get(position, {}).items():
                if left <= column < left + width and texts[column - left] is None:
                    texts[column - left] = text
            record = position - skip + (0 if header else 1)
            if record == 0 or any(text is not None for text in texts):
                line = max(line, writer.writerow([record, *texts]))
                rows += 1
    return {"width": width, "rows": rows, "line": line, "left": left, "name": found.name, "is_1904": is_1904(path)}


def is_1904(path: str) -> bool:
    """Whether an xlsx file counts days from 1904-01-01, as workbooks of old Macintoshes do."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as book:
        if "xl/workbook.xml" not in book.namelist():
            return False
        facts = ElementTree.fromstring(book.read("xl/workbook.xml")).find(f"{MAIN}workbookPr")  # noqa: S314  as above
        return facts is not None and facts.get("date1904") in ("1", "true")


def unread_cells(path: str, sheet: str) -> dict[int, dict[int, str]]:
    """{row: {column: text}}, from 0, of cells that the parser shows as empty: errors (`#N/A`), formulas never computed.

    Only xlsx files are looked at.
    """
    cells: dict[int, dict[int, str]] = {}
    if not zipfile.is_zipfile(path):
        return cells
    with zipfile.ZipFile(path) as book:
        part = _part_of(book, sheet)
        if part is None:
            return cells
        with book.open(part) as stream:
            row = column = -1
            for event, node in ElementTree.iterparse(stream, ("start", "end")):  # noqa: S314  as above
                if event == "start" and node.tag == f"{MAIN}row":
                    row, column = int(node.get("r") or row + 2) - 1, -1
                elif event == "start" and node.tag == f"{MAIN}c":
                    column = _column(node.get("r")) if node.get("r") else column + 1
                elif event == "end" and node.tag == f"{MAIN}c":
                    value, formula = node.findtext(f"{MAIN}v"), node.findtext(f"{MAIN}f")
                    if node.get("t") == "e":
                        cells.setdefault(row, {})[column] = value or "#ERROR"
                    elif formula and not value:
                        cells.setdefault(row, {})[column] = f"={formula}"
                elif event == "end" and node.tag == f"{MAIN}row":
                    node.clear()
    return cells


def _part_of(book: zipfile.ZipFile, sheet: str) -> str | None:
    """Name of the part of an xlsx file that holds a sheet; None where the file is something else (ods)."""
    try:
        workbook = ElementTree.fromstring(book.read("xl/workbook.xml"))  # noqa: S314  as above
        links = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))  # noqa: S314  as above
    except KeyError:
        return None
    targets = {link.get("Id"): link.get("Target") or "" for link in links}
    for entry in workbook.iter(f"{MAIN}sheet"):
        if entry.get("name") == sheet:
            found = posixpath.normpath(posixpath.join("/xl", targets.get(entry.get(f"{LINKS}id")) or "")).lstrip("/")
            return found if found in book.namelist() else None
    return None


def _column(reference: str | None) -> int:
    number = 0
    for letter in (reference or "").rstrip("0123456789").upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def cell_text(cell: object) -> str | None:
    """One cell as text; None for an empty one. Numbers are written in full, dates in ISO form, durations as `36:00:00`."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell.is_integer():
            return str(int(cell)) if abs(cell) <= EXACT else repr(cell)
        return format(Decimal(repr(cell)), "f")
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        seconds, rest = divmod(round(abs(cell.total_seconds()) * 1000), 1000)
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{f'.{rest:03d}' if rest else ''}"
        return f"-{clock}" if cell.days < 0 else clock
    return str(cell)


def _limit(memory_bytes: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    _limit(arguments.pop("memory_bytes"), arguments.pop("seconds"))
    try:
        answer = write_cells(**arguments)
    except MemoryError:
        sys.exit(3)
    except Exception as error:
        answer = {"error": type(error).__name__, "said": str(error)[:200]}
    print(json.dumps(answer))

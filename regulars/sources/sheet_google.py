"""Tabs of a Google spreadsheet: ranges of rows, with the number formats that tell a day from a number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import gspread
from gspread.exceptions import APIError, NoValidUrlKeyFound
from gspread.utils import absolute_range_name, extract_id_from_url, rowcol_to_a1

from regulars.errors import ConfigError, TransientError
from regulars.sources.base import Request
from regulars.sources.csv_files import check_width
from regulars.sources.sheet_client import sheet_client
from regulars.sources.sheet_errors import Altered, in_our_words
from regulars.sources.sheet_header import Row
from regulars.sources.sheet_table import NoTable, Tab, header_of, write_rows
from regulars.sources.sheet_values import value_text

KEY = re.compile(r"[A-Za-z0-9_-]{30,}")  # of a spreadsheet; a title of one such word has to be named by its key
CELLS_PER_REQUEST = 100_000  # what keeps an answer near the 2 MB that Google advises
MOST_RANGES = 30  # in one request: each is part of its address
READINGS = 3  # of a spreadsheet that is edited meanwhile
FACTS = "properties.title,sheets.properties(sheetId,title,sheetType,hidden,gridProperties(rowCount,columnCount))"
FORMATS = "sheets.data(startColumn,rowData.values.effectiveFormat.numberFormat.type)"
RENDERED = {"valueRenderOption": "UNFORMATTED_VALUE", "dateTimeRenderOption": "SERIAL_NUMBER"}


@dataclass(frozen=True)
class Facts:
    """What a spreadsheet shows without its cells; two that are equal speak for no edit in between."""

    title: str
    grids: dict[str, tuple[int, int, int]]  # of each tab that has cells: id, rows, columns
    hidden: frozenset[str]
    changed_at: str | None  # None: Drive does not tell


def read_tabs(request: Request, spool: Path) -> list[Tab]:
    """The tabs of the table, whole, in the spool. Raises ConfigError, SourceError, ContractError or TransientError."""
    place = f"{request.source.connection}: {shown(request.source.spreadsheet)} (for table {request.table})"
    with sheet_client(request) as (client, email):
        with in_our_words(place, email):
            key = find_key(request, client)
        for number in range(READINGS):
            with suppress(Altered), in_our_words(place, email):
                return _read_once(request, client, key, spool / f"sheet-{number}")
    raise TransientError(
        f"{place}: it was edited each of the {READINGS} times that it was read",
        remedy="run again when nobody writes in it",
    )


def plan_tabs(request: Request) -> list[dict[str, Any]]:
    """Title, tabs and sizes of what would be read."""
    place = f"{request.source.connection}: {shown(request.source.spreadsheet)} (for table {request.table})"
    with sheet_client(request) as (client, email), in_our_words(place, email):
        facts = read_facts(client, find_key(request, client))
        return [
            {"spreadsheet": facts.title, "tab": name, "rows": facts.grids[name][1], "columns": facts.grids[name][2]}
            for name in _chosen(request, facts)
        ]


def find_key(request: Request, client: gspread.Client) -> str:
    """The key of the spreadsheet that sources.yml names by URL, key or title. Raises ConfigError where it is not one."""
    given = (request.source.spreadsheet or "").strip()
    entry = f"sources.yml: {request.entry}.spreadsheet"
    if not given:
        raise ConfigError(f"{entry} is missing", remedy="give its URL, its key or its title")
    if "://" in given:
        try:
            return str(extract_id_from_url(given))
        except NoValidUrlKeyFound:
            raise ConfigError(f"{entry}: it is no URL of a spreadsheet", remedy="copy it from the browser") from None
    if KEY.fullmatch(given):
        return given
    escaped = given.replace("\\", "\\\\").replace('"', '\\"')
    found = [file for file in client.list_spreadsheet_files(escaped) if file["name"] == given]
    if len(found) != 1:
        what = f"{len(found)} spreadsheets" if found else "no spreadsheet"
        raise ConfigError(
            f"{entry}: the service account sees {what} called {given!r}",
            remedy="name it by its key or URL" if found else "correct the title, or share the sheet with the account",
        )
    return str(found[0]["id"])


def shown(spreadsheet: str | None) -> str:
    return (spreadsheet or "spreadsheet")[:100]


def read_facts(client: gspread.Client, key: str) -> Facts:
    """Title, tabs and time of change."""
    found = client.http_client.spreadsheets_get(key, {"fields": FACTS, "includeGridData": "false"})
    grids, hidden = {}, set()
    for sheet in found.get("sheets", ()):
        facts = sheet["properties"]
        grid = facts.get("gridProperties", {})
        if facts.get("sheetType", "GRID") == "GRID":
            grids[facts["title"]] = (facts.get("sheetId", 0), grid.get("rowCount", 0), grid.get("columnCount", 0))
            hidden |= {facts["title"]} if facts.get("hidden") else set()
    try:
        changed_at = client.get_file_drive_metadata(key)["modifiedTime"]
    except (APIError, KeyError):  # the Drive API is not enabled, or not allowed: cells can be read without it
        changed_at = None
    return Facts(found["properties"]["title"], grids, frozenset(hidden), changed_at)


def _chosen(request: Request, facts: Facts) -> list[str]:
    if not request.source.tabs:
        visible = [name for name in facts.grids if name not in facts.hidden]
        return (visible or list(facts.grids))[:1]
    unknown = [name for name in request.source.tabs if name not in facts.grids]
    if unknown:
        raise NoTable(
            f"{request.source.connection}: {facts.title} has no tab {', '.join(map(repr, unknown))}; it has: "
            f"{', '.join(facts.grids)}",
            remedy=f"correct tabs of {request.entry} in sources.yml, or have the tab named as before",
        )
    return list(request.source.tabs)


def _read_once(request: Request, client: gspread.Client, key: str, folder: Path) -> list[Tab]:
    """Raises Altered where an edit shows: change time, grids or the header are not what they were at the beginning."""
    folder.mkdir()
    before = read_facts(client, key)
    tabs = [
        _read_tab(request, client, key, before, name, folder / f"tab-{number}.parquet")
        for number, name in enumerate(_chosen(request, before))
    ]
    headers = {tab.name: header_of(request, tab.source, tab.top) for tab in tabs}
    ranges = [absolute_range_name(name, f"{row}:{row}") for name, (row, _) in headers.items()]
    again = client.http_client.values_batch_get(key, ranges, dict(RENDERED))["valueRanges"]
    for (number, cells), found in zip(headers.values(), again, strict=True):
        if not _is_same(cells, (found.get("values") or [[]])[0]):
            raise Altered(f"row {number}")
    if read_facts(client, key) != before:
        raise Altered(before.title)
    return tabs


def _is_same(texts: list[str | None], values: list[Any]) -> bool:
    """Whether a row still holds these texts. A number may be a day, which its format would tell: it is not compared."""
    return all(
        isinstance(value, int | float) or text == value_text(value, None) for text, value in zip_longest(texts, values)
    )


def _read_tab(request: Request, client: gspread.Client, key: str, facts: Facts, name: str, path: Path) -> Tab:
    _, rows, columns = facts.grids[name]
    source = f"{request.source.connection}: {facts.title}!{name}"
    check_width(source, min(columns, request.read.max_columns), request.read)
    options = client.http_client.options  # type: ignore[attr-defined]
    step = max(1, min(options.rows_per_request, CELLS_PER_REQUEST // max(columns, 1)))
    top = write_rows(_rows(client, key, name, rows, columns, step), path)
    unwatched = "the Google Drive API does not tell when it was changed: an edit while it was read may go unnoticed"
    return Tab(
        source,
        name,
        path,
        top,
        {"spreadsheet": key, "changed_at": facts.changed_at},
        () if facts.changed_at else (f"{source}: {unwatched}",),
    )


def _rows(client: gspread.Client, key: str, tab: str, rows: int, columns: int, step: int) -> Iterator[Row]:
    for first in range(1, rows + 1, step):
        last = min(first + step - 1, rows)
        place = absolute_range_name(tab, f"A{first}:{rowcol_to_a1(last, columns)}")
        found = client.http_client.values_get(key, place, dict(RENDERED)).get("values", [])
        formats = _formats(client, key, tab, found, first)
        for offset, values in enumerate(found):
            kinds = formats.get(offset, {})
            yield first + offset, [value_text(value, kinds.get(column)) for column, value in enumerate(values)]


def _formats(
    client: gspread.Client, key: str, tab: str, found: list[list[Any]], first: int
) -> dict[int, dict[int, str]]:
    """{row of `found`: {column: type of number format}} of the cells that are days or times, asked of columns with numbers."""
    numbers = {
        column + 1
        for values in found
        for column, value in enumerate(values)
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    formats: dict[int, dict[int, str]] = {}
    if not numbers:
        return formats
    starts = sorted(column for column in numbers if column - 1 not in numbers)
    ends = sorted(column for column in numbers if column + 1 not in numbers)
    if len(starts) > MOST_RANGES:
        starts, ends = starts[:1], ends[-1:]
    ranges = [
        absolute_range_name(tab, f"{rowcol_to_a1(first, start)}:{rowcol_to_a1(first + len(found) - 1, end)}")
        for start, end in zip(starts, ends, strict=True)
    ]
    answer = client.http_client.spreadsheets_get(key, {"ranges": ranges, "fields": FORMATS})
    for block in answer["sheets"][0].get("data", ()):
        for offset, row in enumerate(block.get("rowData", ())):
            for shift, cell in enumerate(row.get("values", ())):
                kind = cell.get("effectiveFormat", {}).get("numberFormat", {}).get("type", "")
                if "DATE" in kind or "TIME" in kind:
                    formats.setdefault(offset, {})[block.get("startColumn", 0) + shift] = kind
    return formats

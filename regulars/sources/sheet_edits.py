"""Writing cells of a Google spreadsheet: one request, of which all is done or nothing."""

from __future__ import annotations

import secrets
from typing import Any

from regulars.cleansing.decisions import FIELDS, STATUSES
from regulars.cleansing.review_tab import Cells, blocks
from regulars.errors import ConfigError
from regulars.sources.base import Request
from regulars.sources.sheet_client import WRITING, sheet_client
from regulars.sources.sheet_errors import in_our_words
from regulars.sources.sheet_google import find_key, read_facts, shown

SPARE_ROWS = 100  # of a new tab, for what people add


def write_cells(request: Request, cells: Cells) -> None:
    """Write texts into the one tab of the request; a tab that is not there is made, its cells text and its statuses a list.

    Texts are values, never formulas: https://developers.google.com/sheets/api/reference/rest/v4/spreadsheets/other#ExtendedValue
    A request that was done although its answer was lost is refused the second time where it made the tab: Altered, and
    the tab is there. Raises SourceError, ConfigError or TransientError otherwise.
    """
    place = f"{request.source.connection}: {shown(request.source.spreadsheet)} (for {request.entry})"
    (name,) = request.source.tabs
    with sheet_client(request, WRITING) as (client, email), in_our_words(place, email, "an editor"):
        key = find_key(request, client)
        grids = read_facts(client, key).grids
        grid, alike = grids.get(name), [other for other in grids if other.casefold() == name.casefold()]
        if grid is None and alike:
            raise ConfigError(
                f"sources.yml: {request.entry}.tabs: the tab is called {alike[0]!r}, not {name!r}",
                remedy="Google takes these for one name: write it as it is there",
            )
        rows, columns = max(row for row, _ in cells), max(column for _, column in cells)
        if grid is None:
            number = secrets.randbelow(2**31 - 1) + 1
            asked = _new_tab(number, name, rows + SPARE_ROWS, columns)
        else:
            number = grid[0]
            asked = _growth(number, "ROWS", rows - grid[1]) + _growth(number, "COLUMNS", columns - grid[2])
        asked += [_update(number, row, column, texts) for row, column, texts in blocks(cells)]
        client.http_client.batch_update(key, {"requests": asked})


def _new_tab(number: int, name: str, rows: int, columns: int) -> list[dict[str, Any]]:
    grid = {"rowCount": rows, "columnCount": columns, "frozenRowCount": 1}
    status = FIELDS.index("status")
    listed = {"type": "ONE_OF_LIST", "values": [{"userEnteredValue": status} for status in STATUSES]}
    return [
        {"addSheet": {"properties": {"sheetId": number, "title": name, "gridProperties": grid}}},
        {"repeatCell": {
            "range": {"sheetId": number},
            "cell": {"userEnteredFormat": {"numberFormat": {"type": "TEXT"}}},
            "fields": "userEnteredFormat.numberFormat",
        }},
        {"setDataValidation": {
            "range": {"sheetId": number, "startRowIndex": 1, "startColumnIndex": status, "endColumnIndex": status + 1},
            "rule": {"condition": listed, "strict": True, "showCustomUi": True},
        }},
    ]  # fmt: skip


def _growth(number: int, dimension: str, length: int) -> list[dict[str, Any]]:
    grown = {"appendDimension": {"sheetId": number, "dimension": dimension, "length": length}}
    return [grown] if length > 0 else []


def _update(number: int, row: int, column: int, texts: list[list[str]]) -> dict[str, Any]:
    """An empty text empties the cell."""
    rows = [
        {"values": [{"userEnteredValue": {"stringValue": text}} if text else {} for text in line]} for line in texts
    ]
    start = {"sheetId": number, "rowIndex": row - 1, "columnIndex": column - 1}
    return {"updateCells": {"start": start, "rows": rows, "fields": "userEnteredValue"}}

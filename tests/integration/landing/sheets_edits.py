"""What `spreadsheets.batchUpdate` does to a spreadsheet: all of its requests, or none.

Shapes and refusals are those of Google's reference; a request of another kind, or with a field that is not known, is refused.
"""

from __future__ import annotations

import copy
from typing import Any

from tests.integration.landing.sheets_faults import Refused


def apply_edits(book: Any, tab_type: type, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The replies; the book has been edited, once for all of them."""
    tabs = copy.deepcopy(book.tabs)
    replies = []
    for request in requests:
        ((kind, given),) = request.items()
        if kind not in KINDS:
            raise Refused(400, f"Invalid JSON payload received. Unknown name {kind!r}")
        replies.append(KINDS[kind](tabs, tab_type, given))
    book.tabs = tabs
    book.edit += 1
    return replies


def id_of(tabs: dict[str, Any], name: str) -> int:
    own = tabs[name].id
    return list(tabs).index(name) if own is None else int(own)


def _tab(tabs: dict[str, Any], number: int) -> Any:
    for name, tab in tabs.items():
        if id_of(tabs, name) == number:
            return tab
    raise Refused(400, f"Invalid requests: No grid with id: {number}")


def _add_sheet(tabs: dict[str, Any], tab_type: type, given: dict[str, Any]) -> dict[str, Any]:
    facts = dict(given["properties"])
    grid, title, number = facts.pop("gridProperties"), facts.pop("title"), facts.pop("sheetId")
    assert not facts and set(grid) <= {"rowCount", "columnCount", "frozenRowCount"}
    if title.casefold() in {name.casefold() for name in tabs}:
        raise Refused(400, f'Invalid requests[0].addSheet: A sheet with the name "{title}" already exists.')
    if number in {id_of(tabs, name) for name in tabs}:
        raise Refused(400, f"Invalid requests[0].addSheet: A sheet with the id {number} already exists.")
    tabs[title] = tab_type([], grid["rowCount"], grid["columnCount"], id=number)
    return {"addSheet": {"properties": given["properties"]}}


def _append_dimension(tabs: dict[str, Any], tab_type: type, given: dict[str, Any]) -> dict[str, Any]:
    tab, length = _tab(tabs, given["sheetId"]), given["length"]
    if length <= 0:
        raise Refused(400, "Invalid requests: length must be positive")
    if given["dimension"] == "ROWS":
        tab.rows += length
    else:
        tab.columns += length
    return {}


def _update_cells(tabs: dict[str, Any], tab_type: type, given: dict[str, Any]) -> dict[str, Any]:
    start, rows = given["start"], given["rows"]
    assert given["fields"] == "userEnteredValue"
    tab = _tab(tabs, start["sheetId"])
    for down, row in enumerate(rows, start=start["rowIndex"]):
        for right, cell in enumerate(row["values"], start=start["columnIndex"]):
            if down >= tab.rows or right >= tab.columns:
                raise Refused(400, "Invalid requests: attempting to write column outside of grid")
            value = cell.get("userEnteredValue", {})
            if set(value) - {"stringValue"}:
                raise Refused(400, "Invalid requests: this server takes text")
            tab.cells += [[] for _ in range(down + 1 - len(tab.cells))]
            tab.cells[down] += [None] * (right + 1 - len(tab.cells[down]))
            tab.cells[down][right] = value.get("stringValue")
    return {}


def _repeat_cell(tabs: dict[str, Any], tab_type: type, given: dict[str, Any]) -> dict[str, Any]:
    assert given["fields"] == "userEnteredFormat.numberFormat"
    _tab(tabs, given["range"]["sheetId"]).format = given["cell"]["userEnteredFormat"]["numberFormat"]["type"]
    return {}


def _set_data_validation(tabs: dict[str, Any], tab_type: type, given: dict[str, Any]) -> dict[str, Any]:
    place, condition = given["range"], given["rule"]["condition"]
    assert condition["type"] == "ONE_OF_LIST" and place["endColumnIndex"] == place["startColumnIndex"] + 1
    listed = [item["userEnteredValue"] for item in condition["values"]]
    _tab(tabs, place["sheetId"]).validated[place["startColumnIndex"]] = listed
    return {}


KINDS = {
    "addSheet": _add_sheet,
    "appendDimension": _append_dimension,
    "updateCells": _update_cells,
    "repeatCell": _repeat_cell,
    "setDataValidation": _set_data_validation,
}

"""The tab in which people decide on mappings: what stands in it, and which of its cells to write.

Rows stay where people have them, and cells that are not ours are never written: other columns, rows of something else, and
what somebody has begun to type in a row that is not decided yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from regulars.cleansing.decisions import FIELDS, guarded, unguarded

Key = tuple[str, str]  # column and raw value
Cells = dict[tuple[int, int], str]  # by row and column, from 1

MEANING = ("canonical", "number")
DECIDING = ("status", "decided_by", "decided_at")  # empty, or as good as that, until a decision


@dataclass(frozen=True)
class ReviewTab:
    """`place` is how errors name it, `name` who decided where nobody is named. `header` is the row of the header (0: nothing
    stands there yet, and `note` says so), `columns` the positions of its names in lower case, `rows` the filled rows by
    their number. The cells of a file are guarded against formulas, those of a shared sheet are text by themselves."""

    place: str
    name: str
    header: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[int, Sequence[str | None]] = field(default_factory=dict)
    is_file: bool = False
    note: str = ""

    def records(self) -> list[tuple[int, dict[str, str]]]:
        """(row, cells by name) of every filled row below the header."""
        return [
            (number, {name: self._text(cells, column) for name, column in self.columns.items()})
            for number, cells in self.rows.items()
            if number > self.header
        ]

    def _text(self, cells: Sequence[str | None], column: int) -> str:
        cell = (cells[column - 1] if column <= len(cells) else None) or ""
        return unguarded(cell) if self.is_file else cell


def key_of(record: Mapping[str, str]) -> Key:
    """What a record is about."""
    return (record.get("column") or "").strip(), record.get("raw") or ""


def said(record: Mapping[str, str]) -> str:
    """What a record says of it; equal texts decide the same."""
    cells = ((record.get(name) or "").strip() for name in ("status", *MEANING))
    status, *meaning = cells
    return "\x1f".join([status.lower() or "proposed", *meaning])


def edits(
    tab: ReviewTab, mappings: Mapping[Key, Mapping[str, str]], wanted: Iterable[Key], written: Mapping[Key, str]
) -> Cells:
    """The cells that differ from what `mappings` (records of FIELDS) say; `wanted` ones that have no row get one below.

    `written` is what was written into the tab last: where an undecided row says something else, somebody is typing.
    """
    cells, columns = _header(tab)
    present = set()
    for row, record in tab.records():
        key = key_of(record)
        mapping = mappings.get(key)
        if mapping is None:
            continue
        present.add(key)
        left: tuple[str, ...] = ()
        if mapping["status"] == "proposed":
            is_typed = said(record) not in (written.get(key), said(mapping)) and any(
                record.get(name) for name in MEANING
            )
            left = (*DECIDING, *MEANING) if is_typed else DECIDING
        for name in set(columns) & set(FIELDS) - set(left):
            if record.get(name, "") != mapping[name]:
                cells[row, columns[name]] = mapping[name]
    row = max([tab.header, *tab.rows, 1])
    for key in dict.fromkeys(wanted):
        if key not in present:
            row += 1
            cells |= {(row, columns[name]): mappings[key][name] for name in FIELDS if name in columns}
    return {place: guarded(text) if tab.is_file else text for place, text in cells.items()}


def _header(tab: ReviewTab) -> tuple[Cells, dict[str, int]]:
    """Names that have to be written, and the position of all: a header that stands there is left as people have it."""
    columns = dict(tab.columns)
    width = max([0, *columns.values(), *(len(cells) for cells in tab.rows.values())])
    absent = [name for name in (MEANING if tab.header else FIELDS) if name not in columns]
    columns |= {name: place for place, name in enumerate(absent, start=width + 1)}
    return {(tab.header or 1, columns[name]): name for name in absent}, columns


def blocks(cells: Cells) -> list[tuple[int, int, list[list[str]]]]:
    """The cells as rectangles: first row, first column and rows of texts."""
    runs: list[tuple[int, int, list[str]]] = []
    for (row, column), text in sorted(cells.items()):
        if runs and runs[-1][0] == row and runs[-1][1] + len(runs[-1][2]) == column:
            runs[-1][2].append(text)
        else:
            runs.append((row, column, [text]))
    found: dict[tuple[int, int], list[tuple[int, list[list[str]]]]] = {}
    for row, column, texts in runs:
        below = found.setdefault((column, len(texts)), [])
        if below and below[-1][0] + len(below[-1][1]) == row:
            below[-1][1].append(texts)
        else:
            below.append((row, [texts]))
    return [(row, column, rows) for (column, _), below in found.items() for row, rows in below]

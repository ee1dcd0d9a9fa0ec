"""Which cells of a tab are written: those that differ and are ours, in rectangles that cover them and nothing else."""

from __future__ import annotations

import random

from regulars.cleansing.decisions import FIELDS
from regulars.cleansing.review_tab import Cells, ReviewTab, blocks, edits, said


def record(raw: str, **cells: str) -> dict[str, str]:
    return {**dict.fromkeys(FIELDS, ""), "column": "level", "raw": raw, "status": "proposed", **cells}


def test_rectangles_are_the_cells_and_no_others() -> None:
    draw = random.Random(7)
    for _ in range(200):
        places = {(draw.randint(1, 6), draw.randint(1, 5)) for _ in range(draw.randint(1, 20))}
        cells: Cells = {place: f"{place}" for place in places}
        covered = [
            ((row + down, column + right), text)
            for row, column, rows in blocks(cells)
            for down, texts in enumerate(rows)
            for right, text in enumerate(texts)
        ]
        assert dict(covered) == cells and len(covered) == len(cells)
    whole = {(row, column): "x" for row in range(2, 9) for column in range(1, 14)}
    assert len(blocks(whole)) == 1


def test_a_header_that_people_made_shorter_stays_so() -> None:
    tab = ReviewTab("t", "t", 3, {"raw": 2, "status": 1, "column": 4}, {3: ["status", "raw", None, "column"]})
    cells = edits(tab, {("level", "hihg"): record("hihg", canonical="high", seen_count="3")}, [("level", "hihg")], {})
    assert cells == {(3, 5): "canonical", (3, 6): "number", (4, 1): "proposed", (4, 2): "hihg", (4, 4): "level",
                     (4, 5): "high", (4, 6): ""}  # fmt: skip


def test_a_proposal_of_ours_is_brought_up_to_date_and_one_of_theirs_is_not() -> None:
    names = {name: place for place, name in enumerate(FIELDS, start=1)}
    old = record("hihg", canonical="low")
    tab = ReviewTab("t", "t", 1, names, {1: list(FIELDS), 2: [old[name] or None for name in FIELDS]})
    now = {("level", "hihg"): record("hihg", canonical="high", confidence="0.875")}
    changed = {(2, names["canonical"]): "high", (2, names["confidence"]): "0.875"}
    assert edits(tab, now, [], {("level", "hihg"): said(old)}) == changed
    assert edits(tab, now, [], {}) == {(2, names["confidence"]): "0.875"}
    assert edits(tab, {}, [], {}) == {}, "a row of something else"

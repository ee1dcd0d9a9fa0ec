"""Quoted empty cells and blank rows, found in pieces of a CSV file of any size."""

from __future__ import annotations

import csv
import io

import hypothesis.strategies as st
import pytest
from hypothesis import given

from regulars.postgres.empty_cells import LONG, EmptyCells

CELLS = st.sampled_from(["", "", "", "a", '"', ",", "\n", "\r\n", "\n\n", "é"])


def looked_at(data: bytes, size: int, delimiter: str = ",") -> EmptyCells:
    empty = EmptyCells(delimiter, '"')
    for start in range(0, len(data), size):
        empty.look(data[start : start + size])
    return empty


@given(
    rows=st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=5),
    delimiter=st.sampled_from([",", ";", "\t", "|", "^", "\\", "]", "-"]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoted=st.booleans(),
    is_ended=st.booleans(),
    size=st.integers(1, 12),
)
def test_no_blank_row_and_no_quoted_empty_cell_is_missed(
    rows: list[list[str]], delimiter: str, end: str, quoted: bool, is_ended: bool, size: int
) -> None:
    text = io.StringIO()
    style = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=style).writerows(rows)
    written = text.getvalue() if is_ended else text.getvalue().removesuffix(end)
    found = looked_at(written.encode(), size, delimiter)
    kept = csv.reader(io.StringIO(written, newline=""), delimiter=delimiter)
    if any(not any(row) for row in kept):
        assert found.may_be_blank
    if quoted and any("" in row for row in rows):
        assert found.may_be_quoted


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_rows_with_a_filled_cell_are_no_blank_ones(end: str, size: int) -> None:
    rows = ["a,b,c", ",,c", '"",b,', '"x ""y"" z",,', "a,,"]
    for ends in ("", end):
        assert not looked_at((end.join(rows) + ends).encode(), size).may_be_blank


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_blank_row_at_either_end_is_found(size: int) -> None:
    for data in (b",,\na,b,c\n", b"a,b,c\n,,", b'a,b,c\n"",,""\r\n', b"a,b,c\n\na,b,c\n"):
        assert looked_at(data, size).may_be_blank
    assert not looked_at(b"", size).may_be_blank


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_cells_that_are_quoted_but_filled_are_no_empty_ones(size: int) -> None:
    assert not looked_at(b'"a","1,200 \xe2\x82\xac",\n,"b c",\n', size).may_be_quoted


def test_a_long_empty_row_is_not_kept_in_memory() -> None:
    empty = EmptyCells(",", '"')
    for _ in range(100):
        empty.look(b"," * LONG)
    assert empty.may_be_blank and len(empty._last) <= LONG

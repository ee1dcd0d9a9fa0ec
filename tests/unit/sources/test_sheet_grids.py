"""Whatever grid of cells: the header is found or there is none, and no filled cell below it is lost or changed."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.engine import local_engine
from regulars.errors import ContractError
from regulars.sources.base import Request, make_request
from regulars.sources.config import Connection
from regulars.sources.sheet_exports import read_exports
from regulars.sources.sheet_header import Row, find_header, header_name
from regulars.sources.sheet_table import ROW, Tab, select_rows, table_of, write_rows
from regulars.sources.sheet_values import value_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6) | st.sampled_from(
    [
        "Client",
        "client",
        "Client_1",
        "_tab",
        "_row",
        "column2",
        "  ",
        "\n",
        "_regulars_x",
        "39690",
        "'",
        '"',
        "a\rb",
        "\0",
    ]
)
GRIDS = st.lists(st.lists(st.none() | TEXT, max_size=6), max_size=12)


@pytest.fixture(scope="module")
def place_of_grids(make_place) -> Iterator[tuple[Request, duckdb.DuckDBPyConnection, Path]]:
    place = make_place()
    sources = place.sources(Connection(kind="sheet", path=str(place.folder)), path="grid.csv")
    request = make_request(place.contract(), sources, place.settings, date(2026, 1, 25))
    spool = place.folder.parent / "spool"
    spool.mkdir()
    with local_engine(place.settings, spool) as engine:
        yield request, engine, spool


def _filled(rows: list[Row], header: int) -> set[tuple[int, int, str]]:
    return {
        (number, position, cell)
        for number, cells in rows
        for position, cell in enumerate(cells, start=1)
        if cell is not None and number > header
    }


def _check(request: Request, engine: duckdb.DuckDBPyConnection, tab: Tab, rows: list[Row]) -> None:
    if not any(cell is not None for _, cells in rows for cell in cells):
        with pytest.raises(ContractError, match="is empty: not even a header"):
            table_of(request, tab, engine)
        return
    table = table_of(request, tab, engine)
    names = [name.lower() for name in table.columns]
    assert len(set(names)) == len(names) and not {"_tab", "_row"} & set(names)
    below = _filled(rows, table.header)
    assert any(number == table.header and any(cells) for number, cells in rows)
    empty = {name for name, place in table.columns.items() if name == f"column{place}"} - {
        f"column{position}" for _, position, _ in below
    }
    header = dict(rows)[table.header]
    assert all(header_name(header[table.columns[name] - 1]) == name for name in empty)  # one that is called so
    found = set()
    for _, number, *cells in engine.execute(select_rows(table, table.columns)).fetchall():
        found |= {
            (int(number), place, cell)
            for place, cell in zip(table.columns.values(), cells, strict=True)
            if cell is not None
        }
    assert found == below


@given(GRIDS)
@settings(max_examples=80)
def test_no_filled_cell_below_the_header_is_lost(place_of_grids, grid: list[list[str | None]]) -> None:
    request, engine, spool = place_of_grids
    rows = [(number, [*cells]) for number, cells in enumerate(grid, start=1)]
    path = spool / f"{uuid.uuid4()}.parquet"  # the engine remembers files by name
    tab = Tab("x", "it's", path, write_rows(rows, path))
    _check(request, engine, tab, rows)


@given(GRIDS, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=60)
def test_nor_on_the_way_through_csv(place_of_grids, grid: list[list[str | None]], delimiter: str, end: str) -> None:
    request, engine, spool = place_of_grids
    width = max((len(row) for row in grid), default=0)
    padded = [[*row, *[None] * (width - len(row))] for row in grid] if width > 1 else []
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(padded)
    (request.base_dir / "grid.csv").write_bytes(("\ufeff" + written.getvalue()).encode())
    spool = spool / str(uuid.uuid4())
    spool.mkdir()
    known = request.__class__(**{**request.__dict__, "read": request.read.model_copy(update={"delimiter": delimiter})})
    (tab,) = read_exports(known, spool)
    _check(known, engine, tab, [(number, list(row)) for number, row in enumerate(padded, start=1)])


JSON = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
)


@given(JSON, st.sampled_from([None, "DATE", "TIME", "DATE_TIME", "NUMBER", "TEXT", "CURRENCY"]))
def test_every_value_has_a_text(value: object, format_type: str | None) -> None:
    text = value_text(value, format_type)
    assert (text is None) == (value is None or value == "")
    if text is not None:
        assert text.encode()
    if isinstance(value, str) and value and not any("\ud800" <= letter <= "\udfff" for letter in value):
        assert text == value


@pytest.mark.parametrize(
    ("value", "format_type", "text"),
    [
        (46047, "DATE", "2026-01-25"),
        (46047.5, "DATE", "2026-01-25 12:00:00"),
        (46047, "DATE_TIME", "2026-01-25 00:00:00"),
        (46047 + 1 / 86_400_000, "DATE_TIME", "2026-01-25 00:00:00.001000"),
        (1.5, "TIME", "36:00:00"),
        (-0.25, "TIME", "-06:00:00"),
        (-1, "DATE", "1899-12-29"),
        (1e300, "DATE", "1e+300"),
        (46047, None, "46047"),
        (0.1, "PERCENT", "0.1"),
        (1e-7, None, "0.0000001"),
        (True, None, "true"),
        ("#N/A", None, "#N/A"),
        ("\ud83d", None, "\\ud83d"),
    ],
)
def test_serial_numbers_are_days_where_their_format_says_so(value: object, format_type: str | None, text: str) -> None:
    assert value_text(value, format_type) == text


def test_the_header_is_the_row_with_the_names_or_the_first_full_one() -> None:
    title: Row = (1, ["Engagement", None, None, "2026"])
    legend: Row = (2, ["A", "B", "C", "D"])
    header: Row = (5, ["Client\nName", None, "Spend"])
    data: Row = (6, ["x", "y", "1", "z"])
    assert find_header([title, legend, header, data], ["client name", "spend", "level"]) == header
    assert find_header([title, legend, header, data], ["other", "names"]) == title
    assert find_header([(1, ["Engagement"]), legend, data], []) == legend
    assert find_header([header], ["spend"]) == header
    assert find_header([], ["x"]) is None
    assert ROW == "_row"

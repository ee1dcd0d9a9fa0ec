"""Kind `sheet` over exports: CSV in its spellings, workbooks, headers wherever they stand, serial dates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import pytest

from regulars.contracts import Column, Contract
from regulars.discovery.discover import discover
from regulars.engine import local_engine
from regulars.errors import ConfigError, ContractError
from regulars.landing import land, plan_extract
from regulars.sources.base import make_request
from regulars.sources.config import Connection
from regulars.sources.sheet import SheetReader
from regulars.sources.sheet_table import RECORD
from regulars.spool import open_spool

NAME = "ClientData_2023—EngagementMetrics.csv"
COLUMNS = {
    **dict.fromkeys(("email", "born_on", "seen_at", "is_member", "tier"), "null"),
    "id": "Client No",
    "amount": "Spend",
}


def land_export(place, contract=None, *, refresh=False, **entry):
    sources = place.sources(Connection(kind="sheet", path=str(place.folder)), **{"columns": COLUMNS, **entry})
    return land(contract or place.contract(), sources, place.settings, place.run(), refresh=refresh).manifest


def as_csv(place, contract: Contract, **entry) -> tuple[str, tuple[str, ...]]:
    """What the reader shows of the sheet, as CSV, and what it notes."""
    sources = place.sources(Connection(kind="sheet", path=str(place.folder)), **entry)
    request = make_request(contract, sources, place.settings, date(2026, 1, 25))
    with (
        open_spool(place.settings) as spool,
        local_engine(place.settings, spool) as engine,
        SheetReader().open(request, engine, spool) as pieces,
    ):
        [piece] = pieces
        path = spool / "shown.csv"
        engine.execute(f"copy (select * exclude ({RECORD}) from ({piece.relation})) to '{path}' (header true)")
        return path.read_bytes().decode(), piece.notes


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_in_the_spellings_of_exports(place, delimiter: str, end: str) -> None:
    records = [
        ["Engagement, all clients; as shown", "", ""],
        ["", "", ""],
        ["Spend", "", "Client\nNo"],
        ["1.50", "", "1"],
        ["", "", ""],
        ["2,5", "", "2"],
        ["3", "a;b\r\nc, d", "3"],
    ]
    lines = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in record) for record in records]
    place.write(NAME, ("\ufeff" + end.join(lines) + end).encode())
    manifest = land_export(place, path="ClientData_*—EngagementMetrics.csv")
    assert place.rows(manifest, "id, amount") == [(1, Decimal("1.50"), 4), (3, Decimal("3.00"), 7)]
    assert place.rejects(manifest, "record_number, rule, source") == [(6, "type", NAME)]
    assert any("columns that nothing asks for: column2" in note for note in manifest.notes)


def test_every_file_of_a_pattern_is_a_tab(place) -> None:
    for year in (2023, 2024):
        place.write(f"ClientData_{year}—EngagementMetrics.csv", f"Client No,Spend\n{year},1\n")
    columns = {**COLUMNS, "email": "_tab || ' ' || _row"}
    manifest = land_export(place, path="*.csv", columns=columns)
    assert [row[:2] for row in place.rows(manifest, "id, email")] == [
        (year, f"ClientData_{year}—EngagementMetrics 2") for year in (2023, 2024)
    ]
    sources = place.sources(Connection(kind="sheet", path=str(place.folder)), path="*.csv")
    assert len(plan_extract(place.contract(), sources, place.settings, date(2026, 1, 25))) == 2


def test_csv_that_cannot_be_read_is_refused_with_its_row(place) -> None:
    place.write("a.csv", 'Client No,Spend\n1,2\n2,"never ends\n3,4\n')
    with pytest.raises(ContractError, match=r"a\.csv: row 3 cannot be taken apart"):
        land_export(place, path="a.csv")
    place.write("b.csv", "Client No,Spend\n1,Müller\n".encode("cp1252"))
    with pytest.raises(ContractError, match=r"b\.csv: there are bytes behind row \d that are not utf-8"):
        land_export(place, path="b.csv")
    assert land_export(place, path="b.csv", read={"encoding": "cp1252"}).rows_quarantined == 1
    with pytest.raises(ConfigError, match="CSV, which has no tabs"):
        land_export(place, path="a.csv", tabs="2023", refresh=True)
    with pytest.raises(ConfigError, match="needs the path"):
        land_export(place, refresh=True)
    place.write("c.json", "[]")
    with pytest.raises(ConfigError, match="CSV or a workbook"):
        land_export(place, path="c.json", refresh=True)


def test_tabs_of_a_workbook_and_where_its_cells_are(place, workbook) -> None:
    rows = [[None, None, None], [None, None, "as of today"], [None], [None, "Client No", "Spend", None, "Spend"],
            [None, 1, 2.5], [None], [None, 2, "x\ry", None, None, "beside"]]  # fmt: skip
    workbook(place.folder / "book.xlsx", rows, "2023—Metrics")
    columns = {**COLUMNS, "amount": '"Spend"', "email": "column6", "tier": "null"}
    manifest = land_export(place, path="book.xlsx", tabs=["2023—Metrics"], columns=columns)
    assert place.rows(manifest, "id, amount, email") == [(1, Decimal("2.50"), None, 5)]
    assert place.rejects(manifest, "record_number, source") == [(7, "book.xlsx!2023—Metrics")]
    with pytest.raises(ContractError, match="'2024' cannot be read"):
        land_export(place, path="book.xlsx", tabs="2024", refresh=True)


def test_a_workbook_says_the_same_as_the_sheet(place, workbook) -> None:
    """Days, moments and durations by their number formats, as the Sheets API gives them."""
    cells = [f'<c r="{letter}2" s="{style}"><v>{value}</v></c>' for letter, style, value in
             [("A", 1, 46047), ("B", 2, 46047.5), ("C", 0, 46047), ("D", 0, 1e21), ("E", 0, 0.1)]]  # fmt: skip
    workbook(place.folder / "book.xlsx", [["day", "moment", "number", "big", "small"], cells])
    cells += ['<c r="F2" s="3"><v>1.5</v></c>', '<c r="G2" t="inlineStr"><is><t>a&#13;b</t></is></c>']
    workbook(place.folder / "book.xlsx", [["day", "moment", "number", "big", "small", "lasted", "note"], cells])
    text, _ = as_csv(place, place.contract(), path="book.xlsx")
    values = "Sheet,2,2026-01-25,2026-01-25 12:00:00,46047,1e+21,0.1,36:00:00"
    assert text.split("\n", 1)[1] == f'{values},"a\rb"\n'


def test_bare_numbers_of_a_workbook_that_counts_from_1904(place, workbook) -> None:
    workbook(place.folder / "plain.xlsx", [["hired"], [38228]])
    with ZipFile(place.folder / "plain.xlsx") as plain, ZipFile(place.folder / "book.xlsx", "w") as book:
        for name in plain.namelist():
            content = plain.read(name).replace(b"<sheets>", b'<workbookPr date1904="1"/><sheets>')
            book.writestr(name, content)
    shown = [as_csv(place, place.contract(), path=name, dates="hired")[0] for name in ("book.xlsx", "plain.xlsx")]
    assert shown == [f"_tab,_row,hired\nSheet,2,{day}\n" for day in ("2008-08-30", "2004-08-29")]


def test_discovery_says_that_it_does_not_look_into_shared_sheets(place) -> None:
    sources = place.sources(Connection(kind="sheet", credentials="key.json"))
    with pytest.raises(ConfigError, match="place: a shared sheet is not looked into"):
        discover("place", place.settings, sources)


@pytest.mark.parametrize("number", ["39690", "39690.5", "2019", "20190114", "x39690", "-39690", "39690,5"])
def test_bare_numbers_in_a_column_of_dates(place, number: str) -> None:
    """Only what cannot be a year or a day written in one word is taken for a serial number."""
    place.write("a.csv", f'id;hired\n1;"{number}"\n2;2008-08-30\n')
    text, _ = as_csv(place, place.contract(), path="a.csv", dates="Hired")
    days = {"39690": "2008-08-30", "39690.5": "2008-08-30 12:00:00"}
    assert text.splitlines()[1].split(",", 3)[3].strip('"') == days.get(number, number)
    with pytest.raises(ContractError, match="dates names Fired, which the sheet has not"):
        as_csv(place, place.contract(), path="a.csv", dates="Fired")


@pytest.mark.real_data
def test_the_messy_sheet_of_janitor(place, datasets: Path) -> None:
    """A title row, an empty row, an empty column, two columns of one name, dates as dates and as bare numbers."""
    columns = tuple(
        Column(name=name, data_type=kind, description="d")
        for name, kind in {"first_name": "varchar", "subject": "varchar", "hired_on": "date", "allocated": "decimal(3,2)", "note": "varchar",
                           "first_certificate": "varchar", "second_certificate": "varchar"}.items()
    )  # fmt: skip
    contract = place.contract(columns=columns, key=("first_name",))
    names = {"first_name": "First Name", "subject": "Subject", "hired_on": "Hire Date", "allocated": "% Allocated", "note": "do not edit! --->",
             "first_certificate": '"Certification"', "second_certificate": "Certification_1"}  # fmt: skip
    sources = place.sources(
        Connection(kind="sheet", path=str(datasets / "janitor")),
        path="dirty_data.xlsx",
        columns=names,
        read={"null_values": ["#N/A"]},
    )
    manifest = land(contract, sources, place.settings, place.run()).manifest
    rows = place.rows(manifest, "first_name, hired_on, allocated, note, first_certificate, second_certificate")
    assert (manifest.rows_read, len(rows)) == (12, 12)
    assert rows[0] == ("Jason", date(2008, 8, 30), Decimal("0.75"), None, "Physical ed", "Theater", 3)
    assert rows[1][1] == date(2019, 1, 14) and rows[5][1] == date(1930, 3, 20)
    assert rows[-1] == ("Micheal", date(2009, 9, 15), Decimal("0.80"), None, "Vocal music", "English", 15)
    assert [row[-1] for row in rows] == [3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15]
    text, notes = as_csv(place, contract, path=str(datasets / "janitor" / "dirty_data.xlsx"), dates=["Hire Date"])
    header, *lines = text.splitlines()
    assert len(lines) == 12
    assert header.split(",") == [
        "_tab", "_row", "First Name", "Last Name", "Employee Status", "Subject", "Hire Date", "% Allocated", "Full time?",
        "do not edit! --->", "Certification", "Certification_1", "Active?",
    ]  # fmt: skip
    assert any("rows above it are left out: 1" in note for note in notes)

"""JSON, NDJSON, Parquet, spreadsheets, and queries over several files."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from decimal import Decimal

import duckdb
import pytest

from regulars.contracts import Column
from regulars.errors import ConfigError, ContractError, SourceError


def test_lines_of_json_that_are_not_objects_are_single_bad_records(place) -> None:
    place.write(
        "people.ndjson",
        '{"id":1,"amount":1.5,"is_member":true}\n{"id":2,"born_on":"2026-01-01"}\nnope\n[1]\n{"id":"x"}\n',
    )
    manifest = place.land(path="people.ndjson").manifest
    assert place.rows(manifest, "id, amount, born_on, is_member") == [
        (1, Decimal("1.50"), None, True, 1),
        (2, None, date(2026, 1, 1), None, 2),
    ]
    assert place.rejects(manifest, "record_number, rule, raw") == [
        (3, "malformed", "nope"),
        (4, "malformed", "[1]"),
        (5, "type", '{"id":"x"}'),
    ]


def test_json_documents_and_a_cut_one(place) -> None:
    place.write("people.json", '[{"id":1,"email":{"home":"a"}},\n {"id":2}]')
    assert place.rows(place.land(path="people.json").manifest, "id, email") == [(1, '{"home":"a"}', 1), (2, None, 2)]
    place.write("cut.json", '[{"id":1},\n {"id":2}')
    with pytest.raises(ContractError, match=r"cut\.json cannot be read: .*Malformed JSON"):
        place.land(path="cut.json", refresh=True)


def test_parquet_values_must_survive_the_cast(place) -> None:
    duckdb.sql(
        "select * from (values (1::hugeint, 2.50::decimal(18,4), timestamp '2026-01-02 00:00:00', timestamptz "
        "'2026-01-02 10:00:00+02', 1), "
        "(2, 2.5001, timestamp '2026-01-02 01:00:00', null, 0), (3, null, timestamp '2026-01-02 01:00:00', null, "
        "0), (4, null, null, null, 2)) "
        "t(id, amount, born_on, seen_at, is_member)"
    ).write_parquet(str(place.folder / "people.parquet"))
    manifest = place.land(place.contract(on_drift="evolve"), path="people.parquet").manifest
    assert place.rows(manifest, "id, amount, born_on, seen_at, is_member") == [
        (1, Decimal("2.50"), date(2026, 1, 2), datetime(2026, 1, 2, 8), True, 1)
    ]
    assert place.rejects(manifest, "record_number, reason") == [
        (2, "amount: 2.5001 is not decimal(7,2)"),
        (3, "born_on: 2026-01-02 01:00:00 is not date"),
        (4, "is_member: 2 is not boolean"),
    ]


def test_a_query_joins_files_before_landing(place) -> None:
    place.write("a.csv", "k,v\n1,2\n1,3\n2,4\n")
    place.write("b-2026-01-25.csv", "k,mail\n1,x\n2,y\n")
    query = (
        "select k as id, any_value(mail) as email, sum(v::int)::bigint as amount, {as_of} as born_on from a "
        "join b using (k) group by k order by k"
    )
    manifest = place.land(
        place.contract(on_drift="evolve"), path=None, query=query, files={"a": "a.csv", "b": "b-{as_of}.csv"}
    ).manifest
    assert place.rows(manifest, "id, email, amount, born_on") == [
        (1, "x", Decimal(5), date(2026, 1, 25), 1),
        (2, "y", Decimal(4), date(2026, 1, 25), 2),
    ]
    with pytest.raises(SourceError, match=r"tables\.people\.query: .*nowhere"):
        place.land(path=None, query="select * from nowhere", files={"a": "a.csv"}, refresh=True)


def test_rows_of_a_query_are_one_landing_in_whatever_order_the_engine_gives_them(place) -> None:
    asked = {"path": None, "query": "select id, any_value(email) as email from a group by id", "files": {"a": "a.csv"}}
    contract, lines = place.contract(on_drift="evolve"), [f"{n},{n}@x\n" for n in range(3000)]
    place.write("a.csv", "id,email\n" + "".join(lines))
    first = place.land(contract, **asked)
    place.write("a.csv", "id,email\n" + "".join(reversed(lines)))
    assert place.land(contract, **asked, refresh=True).created is False
    place.write("a.csv", "id,email\n" + "".join(lines[1:]))
    assert place.land(contract, **asked, refresh=True).created is True
    assert [row[0] for row in place.rows(first.manifest, "try_cast(id as bigint)")][:3] == [0, 1, 10], "as text"


def test_unknown_formats_and_options_are_named(place) -> None:
    place.write("people.dat", "x")
    with pytest.raises(ConfigError, match=r"people\.dat: the ending"):
        place.land(path="people.dat")
    with pytest.raises(ConfigError, match=r"tables\.people\.read\.delimeter"):
        place.land(read={"delimeter": ";"})
    with pytest.raises(ConfigError, match="not a text encoding"):
        place.land(read={"encoding": "latin-99"})


def test_a_sheet_by_name_below_a_title(place) -> None:
    _write_sheet(
        place.folder / "people.xlsx",
        "Members",
        [["Title"], ["id", "email", "amount", "born_on"], [1, "a", 2.5, "2026-01-02"], [], [2, None, 12, "x"]],
    )
    contract = place.contract(on_drift="evolve")
    manifest = place.land(contract, path="people.xlsx", read={"sheet": "Members", "skip": 1}).manifest
    assert place.rows(manifest, "id, email, amount, born_on") == [(1, "a", Decimal("2.50"), date(2026, 1, 2), 1)]
    assert place.rejects(manifest) == [(3, "type")]
    with pytest.raises(ContractError, match="sheet 'Others' cannot be read"):
        place.land(contract, path="people.xlsx", read={"sheet": "Others"}, refresh=True)


def test_cells_of_a_sheet_that_csv_would_break(place, workbook) -> None:
    """A carriage return in a cell, and a duration of more than a day, which is no number of days and a clock."""
    cells = ['<c r="B2" t="inlineStr"><is><t>a&#13;b</t></is></c>', '<c r="C2" s="3"><v>1.5</v></c>']
    workbook(place.folder / "people.xlsx", [["id", "email", "tier"], [1, *cells], [2, "x", "gold"]])
    columns = {"id": "id", "email": "email || ' ' || tier", "tier": "null"}
    manifest = place.land(place.contract(on_drift="evolve"), path="people.xlsx", columns=columns).manifest
    assert place.rows(manifest, "id, email") == [(1, "a\rb 36:00:00", 1), (2, "x gold", 2)]


def _write_sheet(path, name: str, rows: list[list[object]]) -> None:
    """The smallest workbook that readers accept."""

    def cell(value: object, place: str) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
        return f'<c r="{place}"><v>{value}</v></c>'

    body = "".join(
        f'<row r="{n}">{"".join(cell(value, "ABCDEFG"[k] + str(n)) for k, value in enumerate(row))}</row>'
        for n, row in enumerate(rows, start=1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="{name}" sheetId="1" '
        'r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as book:
        for file, text in files.items():
            book.writestr(file, text)


def test_a_text_column_that_must_be_there_takes_numbers_and_lists(place) -> None:
    columns = tuple(Column(name=name, data_type="varchar", description="d", required=True) for name in ("id", "tags"))
    duckdb.sql("select * from (values (7, [1, 2]), (null, [3]), (8, null)) t(id, tags)").write_parquet(
        str(place.folder / "people.parquet")
    )
    manifest = place.land(place.contract(columns=columns), path="people.parquet").manifest
    assert place.rows(manifest, "id, tags") == [("7", "[1,2]", 1)]
    assert place.rejects(manifest, "record_number, rule") == [(2, "required"), (3, "required")]

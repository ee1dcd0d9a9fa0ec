"""Files that lie: cut, bombs, in another encoding, with names and columns that other parts would take for commands."""

from __future__ import annotations

import gzip
from datetime import date, datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regulars.contracts import Column
from regulars.errors import ConfigError, ContractError, SourceError

HEADER = "id,email,amount,born_on,seen_at,is_member,tier\n"
ROW = "1,a,1,,,,\n"
PACKED = gzip.compress((HEADER + "".join(f"{n},m{n * 7919 % 1000},1,,,,\n" for n in range(5000))).encode(), mtime=0)


def _evolving(place):
    return place.contract(on_drift="evolve")


@pytest.mark.parametrize(
    "content",
    [PACKED[: len(PACKED) // 2], PACKED[:5], PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], PACKED + b"more", b"id\n1\n"],
    ids=["half", "start", "checksum", "appended", "not gzip"],
)
@pytest.mark.parametrize("kind", ["csv", "ndjson", "json", "parquet", "xlsx"])
def test_a_damaged_gzip_file_lands_nothing(place, kind: str, content: bytes) -> None:
    place.write(f"people.{kind}.gz", content)
    with pytest.raises(ContractError, match=rf"people\.{kind}\.gz is not a whole gzip file: .*; nothing of it"):
        place.land(_evolving(place), path=f"people.{kind}.gz")


@pytest.mark.parametrize("read", [{}, {"encoding": "latin-1"}])
def test_a_gzip_bomb_stops_at_a_limit_that_can_be_raised(place, monkeypatch, read: dict[str, str]) -> None:
    monkeypatch.setattr("regulars.sources.intake.UNPACKED_UNASKED", 1 << 20)
    place.write("people.csv.gz", gzip.compress(HEADER.encode() + (b"1," + b"x" * 1000 + b",1,,,,\n") * 20_000))
    with pytest.raises(ContractError, match=r"people\.csv\.gz: \d+ bytes unpack to more than 100 times") as caught:
        place.land(path="people.csv.gz", read=read)
    assert "max_unpack_ratio" in caught.value.remedy
    assert place.land(path="people.csv.gz", read={**read, "max_unpack_ratio": 1032}).manifest.rows_read == 20_000


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("kind", ["csv", "json", "ndjson"])
def test_another_encoding_is_named_and_read_when_it_is_set(place, kind: str, encoding: str) -> None:
    texts = {"csv": HEADER + ROW, "json": '[{"id": 1, "email": "a"}]', "ndjson": '{"id": 1, "email": "a"}\n'}
    place.write(f"people.{kind}", texts[kind].encode(encoding))
    with pytest.raises(ContractError, match=rf"people\.{kind} is not utf-8 text; it looks like {encoding}"):
        place.land(path=f"people.{kind}")
    manifest = place.land(path=f"people.{kind}", read={"encoding": encoding}).manifest
    assert place.rows(manifest, "id, email") == [(1, "a", 1)]


def test_what_turns_bytes_into_bytes_is_no_encoding(place) -> None:
    place.write("people.csv", HEADER)
    for encoding in ("base64", "rot13"):
        with pytest.raises(ConfigError, match="is not a text encoding"):
            place.land(read={"encoding": encoding})
    place.write("odd.csv", (HEADER + ROW).encode("utf-16")[:-1])
    with pytest.raises(ContractError, match=r"odd\.csv is not utf-16 text: truncated data"):
        place.land(path="odd.csv", read={"encoding": "utf-16"})


def test_names_of_ours_nul_and_lost_quotes_in_headers_are_refused(place) -> None:
    for header, said in (
        ("id,_regulars_line", "_regulars_line: names that begin"),
        ("id,em\0ail", "header holds NUL"),
        ('id,"email', "first record cannot be read"),
    ):
        place.write("people.csv", f"{header}\n1,2\n")
        with pytest.raises(ContractError, match=said):
            place.land(_evolving(place))
    place.write("people.ndjson", '{"id":1,"e\\u0000mail":"x"}\n{"id":2,"ID":3}\n{"ID":4,"Email":"m"}\n{"id":5,"":6}\n')
    manifest = place.land(_evolving(place), path="people.ndjson").manifest
    assert place.rows(manifest, "id, email") == [(4, "m", 3), (5, None, 4)]
    assert place.rejects(manifest, "record_number, rule, reason") == [
        (1, "malformed", "a key holds a NUL character"),
        (2, "malformed", "a key stands there twice (case does not matter)"),
    ]
    assert manifest.notes == ("not in the contract and left out: (empty)",)


def test_bad_bytes_in_a_line_of_json_are_one_bad_record(place) -> None:
    place.write("people.ndjson", b'{"id":1}\n{"id":2,"email":"\xff"}\n\n{"id":4,"email":"a\\u0000b"}\n{"id":5\n')
    manifest = place.land(path="people.ndjson").manifest
    assert place.rows(manifest, "id, email") == [(1, None, 1), (4, "a\0b", 4)]
    assert [row[:2] for row in place.rejects(manifest)] == [(2, "encoding"), (3, "malformed"), (5, "malformed")]


def test_too_many_columns_are_refused_before_they_cost_anything(place) -> None:
    names = [f"c{n}" for n in range(2500)]
    place.write("people.csv", ",".join(["id", *names]) + "\n")
    place.write("people.ndjson", '{"id":1,' + ",".join(f'"{name}":1' for name in names) + "}\n")
    pq.write_table(pa.table({name: [1] for name in ["id", *names]}), place.folder / "people.parquet")
    for kind in ("csv", "ndjson", "parquet"):
        with pytest.raises(ContractError, match=rf"people\.{kind} has 250\d .*more than read.max_columns"):
            place.land(_evolving(place), path=f"people.{kind}")
    with pytest.raises(ContractError, match=r"Found: 2501 columns not shown") as caught:
        place.land(path="people.csv", read={"max_columns": 3000})
    assert len(caught.value.message) < 1000


TYPES = (
    Column(name="id", data_type="bigint", description="key"),
    Column(name="amount", data_type="decimal(38,2)", description="money"),
    Column(name="born_on", data_type="date", description="day"),
    Column(name="seen_at", data_type="timestamp", description="moment"),
)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("amount", "1e30::double", Decimal(10) ** 30),
        ("amount", "0.1::float", Decimal("0.10")),
        ("amount", "1.555::double", None),
        ("amount", f"{'9' * 38}::decimal(38,0)", None),
        ("amount", "'nan'::double", None),
        ("amount", "'inf'::float", None),
        ("born_on", "date '20000-01-01'", None),
        ("born_on", "date '-44-03-15'", None),
        ("born_on", "'0000-01-01'", None),
        ("seen_at", "timestamp '20000-01-01'", None),
        ("seen_at", "'0000-01-01 00:00:00'", None),
        ("seen_at", "'0001-01-01 00:00:00+12:00'", None),
        ("seen_at", "'2026-01-01 00:00:00+99:00'", None),
        ("seen_at", "'2016-12-31 23:59:60'", None),
        ("seen_at", "'2026-01-01 00:00:00+15:59'", datetime(2025, 12, 31, 8, 1)),
        ("seen_at", "'infinity'::timestamptz", None),
        ("born_on", "'9999-12-31'", date(9999, 12, 31)),
    ],
)
def test_numbers_and_dates_at_the_edge(place, column: str, value: str, expected: object) -> None:
    duckdb.sql(f"select 1 as id, {value} as {column}").write_parquet(str(place.folder / "people.parquet"))
    contract = place.contract(columns=TYPES, on_drift="evolve")
    manifest = place.land(contract, path="people.parquet").manifest
    if expected is None:
        assert place.rejects(manifest) == [(1, "type")]
    else:
        assert place.rows(manifest, column) == [(expected, 1)]


def test_parquet_that_the_engine_would_misread_is_refused(place) -> None:
    contract = place.contract(columns=TYPES, on_drift="evolve")
    wide = pa.array([Decimal(1)], pa.decimal256(60, 2))
    pq.write_table(pa.table({"id": [1], "amount": wide}), place.folder / "wide.parquet")
    with pytest.raises(ContractError, match=r"wide\.parquet: amount has decimals of more than 38 digits"):
        place.land(contract, path="wide.parquet")
    duckdb.sql("select i as id, 'm' || i as email from range(50000) t(i)").write_parquet(
        str(place.folder / "w.parquet")
    )
    content = (place.folder / "w.parquet").read_bytes()
    place.write("bad.parquet", content[:2000] + b"\xaa" * 2000 + content[4000:])
    with pytest.raises(ContractError, match=r"bad\.parquet cannot be read: .*decompression"):
        place.land(_evolving(place), path="bad.parquet")
    for cut in (content[:-20], content[:10], b"", b"PAR1xxxxxxxxPAR1"):
        place.write("bad.parquet", cut)
        with pytest.raises(ContractError, match=r"bad\.parquet cannot be read"):
            place.land(_evolving(place), path="bad.parquet")


def test_a_cell_of_a_workbook_is_never_silently_empty(place, workbook) -> None:
    def cell(kind: str, value: str) -> str:
        return f'<c r="C2" {kind}>{value}</c>'

    cells = {
        cell('t="e"', "<v>#N/A</v>"): "#N/A",
        cell("", "<f>SUM(A1:A2)</f>"): "=SUM(A1:A2)",
        cell("", "<f>1+1</f><v>2</v>"): None,
        cell("", "<v>12345678901234567890</v>"): "1.2345678901234567e+19",
        cell("", "<v>1e999</v>"): "Infinity",
        cell('s="1"', "<v>45000</v>"): "2023-03-15",
        cell('s="1"', "<v>-1</v>"): "00:00:00",
    }
    for content, wrong in cells.items():
        workbook(place.folder / "people.xlsx", [["id", "email", "amount"], [1, "a", content]], "Hostile '; drop \" <x>")
        manifest = place.land(_evolving(place), path="people.xlsx", refresh=True, accept=True).manifest
        if wrong is None:
            assert place.rows(manifest, "amount") == [(Decimal(2), 1)]
        else:
            assert place.rejects(manifest, "reason") == [(f"amount: {wrong} is not decimal(7,2)",)]


def test_a_value_far_out_in_a_workbook_costs_a_refusal_not_the_process(place, workbook) -> None:
    far = '<c r="XFD1048576"><v>1</v></c>'
    workbook(place.folder / "people.xlsx", [["id"], [1], [far]])
    with pytest.raises(SourceError, match=r"people\.xlsx: its cells need more memory") as caught:
        place.land(_evolving(place), path="people.xlsx")
    assert "far below or right" in caught.value.remedy
    content = (place.folder / "people.xlsx").read_bytes()
    for cut in (content[: len(content) // 2], content[:-30], b"", b"PK\x03\x04garbage"):
        place.write("cut.xlsx", cut)
        with pytest.raises(ContractError, match=r"cut\.xlsx: sheet 0 cannot be read"):
            place.land(_evolving(place), path="cut.xlsx")


def test_json_that_is_deep_cut_or_empty(place) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    place.write("people.json", f'[{{"id":1,"email":{deep}}},{{"id":2}}]')
    manifest = place.land(path="people.json").manifest
    assert [row[0] for row in place.rows(manifest, "length(email)")] == [200_000, None]
    place.write("people.json", '[{"id":1,"email":' + "[" * 100_000)
    with pytest.raises(ContractError, match=r"people\.json cannot be read: .*unexpected end of data"):
        place.land(path="people.json", refresh=True)
    place.write("people.json", "\n")
    with pytest.raises(ContractError, match="not even a JSON value"):
        place.land(path="people.json", refresh=True)


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_a_last_line_beyond_the_limit_is_not_left_out(place, kind: str) -> None:
    start = {"csv": "id,email\n1,a\n2,", "ndjson": '{"id":1}\n{"id":2,"email":"'}
    place.write(f"people.{kind}", start[kind] + "x" * 40_000_000)
    with pytest.raises(ContractError, match=rf"people\.{kind}: its last line is longer than read.max_line_bytes"):
        place.land(_evolving(place), path=f"people.{kind}")


@pytest.mark.parametrize(
    ("kind", "bad"), [("csv", b"2,\xff,,,2020-01-01,,\n"), ("ndjson", b'{"id":2,"email":"\xff"}\n')]
)
def test_a_damaged_file_of_the_day_keeps_its_late_rows_and_its_place(place, kind: str, bad: bytes) -> None:
    good = {"csv": (HEADER, "1,a,,,2020-01-01,,\n"), "ndjson": ("", '{"id":1,"seen_at":"2020-01-01"}\n')}[kind]
    place.write(f"2026-01-25.{kind}", "".join(good).encode() + bad)
    contract = place.contract(mode="append", event_time="seen_at", lookback_days=0, on_drift="evolve")
    manifest = place.land(contract, path=f"{{as_of}}.{kind}").manifest
    assert (place.rows(manifest), place.rejects(manifest)) == ([(1, 1)], [(2, "encoding")])
    assert manifest.position["pieces"][0]["file"].endswith(f"2026-01-25.{kind}")

"""Files that Snowflake reads by itself land as the same rows, rejects and reasons as files that a worker reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from staging import DAY, Lake, contract, statements

from regulars.errors import ContractError
from regulars.settings import Settings

pytestmark = pytest.mark.parity

ODD: dict[str, list[str]] = {
    "varchar": ["", " ", "a", " a ", "'", '""', "\\", "\\n", "ü", "NULL", "null", "\\N", "x\ty", "💶", "a\nb", "%", "0", "a\\'b"],
    "bigint": ["1", "+1", "-1", "01", "1.", "1.0", "1.00", "1.5", ".0", "1e3", "0x1F", "1_000", "1,000", " 7 ", "\t8", "-0", "٣",
               "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1" * 40, "x", "--1", "+"],
    "decimal(9,2)": ["1", "1.5", "1.50", "1.500", "1.505", ".5", "5.", "+.25", "1e2", "9999999.99", "10000000", "9999999.990", "-0.01",
                     "1,5", "NaN", "inf", "$1", " 1.5 ", "."],
    "double": ["1", "1.5", "1e3", "1E-3", "+1.e2", ".5", "5.", "1e400", "-1e400", "NaN", "inf", "Infinity",
               "1_0", "0x1", "1e", "e1", " 2.5 ", "1.7976931348623157e308", "4.9e-324", "-0.0"],
    "boolean": ["true", "TRUE", "t", "T", "1", "0", "f", "False", "yes", "no", "y", "on", "2", " true ", "truex"],
    "date": ["2026-01-05", "2026-1-5", "2026-02-29", "2024-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "26-01-05",
             "2026/01/05", "05.01.2026", "2026-01-05 00:00:00", "2026-01-05T00:00", "2026-01-05 10:00:00", "2026-01-05 00:00:00.000",
             "2026-13-01", "20260105", "infinity", "epoch", "today", " 2026-01-05 ", "2026-01-05x", "-2026-01-05"],
    "timestamp": ["2026-01-05", "2026-01-05 10:11", "2026-01-05 10:11:12", "2026-01-05T10:11:12.5", "2026-01-05 10:11:12.123456",
                  "2026-01-05 10:11:12.1234567", "2026-01-05 10:11:12.1234560", "2026-01-05T10:11:12Z", "2026-01-05 10:11:12+02",
                  "2026-01-05 10:11:12 -0530", "2026-01-05T10:11+05:45", "2026-01-05 10:11:12+16:00", "2026-01-05 10:11:12+15:59",
                  "2026-01-05 24:00:00", "2026-01-05 24:00", "2026-01-05 24:00:01", "2026-01-05 23:59:60", "2026-01-05 25:00", "2026-02-30 10:00",
                  "2026-01-05 1:02:03", "2026-01-05 10", "2026-01-05 10:11:12 UTC", "2026-01-05 10:11:12 Europe/Berlin", "1767607872",
                  "2026-01-05t10:11:12", "0001-01-01 00:00:00+01", "9999-12-31 23:59:59.999999", "9999-12-31 23:59:59-01", "infinity",
                  " 2026-01-05 10:11:12 ", "2026-01-05  10:11:12", "2026-01-05 10:11:12.", "2026-01-05 10:11:12Z ", "01/05/2026 10:00",
                  "2026-01-05 00:00-0100"],
}  # fmt: skip


@pytest.fixture
def lake(on_s3: Settings) -> Iterator[Lake]:
    with statements():
        yield Lake(on_s3)


def quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def test_several_files_of_a_day(lake: Lake) -> None:
    lake.table = contract(
        {"id": {"data_type": "bigint", "required": True}, "name": "varchar", "amount": "decimal(9,2)"}
    )
    lake.put(f"{DAY}/b.csv.gz", 'id,name,amount\n1,"a, ""b""",1.50\n2,,2\n2,,2\n')
    lake.put(f"{DAY}/a.csv.gz", "id,name,amount\n3,c,x\n,d,1\n4,,\n")
    manifest, good, bad = lake.same()
    assert [row[0] for row in good] == [1, 2, 4] and len(bad) == 2 and manifest.rows_duplicate == 1


@pytest.mark.parametrize("kind", ODD)
def test_odd_values_get_the_same_verdict(lake: Lake, kind: str) -> None:
    """Each value quoted and bare, among the rules of a contract."""
    bounds: dict[str, Any] = {"bigint": {"min": -5, "max": 10**15}, "decimal(9,2)": {"min": 0}, "date": {"max": "as_of"},
                              "timestamp": {"max": "as_of", "min": "1000-01-01"}, "varchar": {"enum": ["a", "'", "\\", "0", " a "]}}  # fmt: skip
    lake.table = contract(
        {
            "id": "bigint",
            "v": kind,
            "w": {"data_type": kind, "required": True},
            "x": {"data_type": kind, **bounds.get(kind, {})},
        }
    )
    lines = ["id,v,w,x"]
    for value in ODD[kind]:
        plain = value if not set(value) & set('",\r\n') else quoted(value)
        for cells in ([plain, "", ""], [quoted(value), plain, ""], [plain, plain, plain]):
            lines.append(",".join([str(len(lines)), *cells]))
    lake.put(f"{DAY}/odd.csv", "\n".join(lines) + "\n")
    _, good, bad = lake.same()
    assert good and bad


READ: list[tuple[str, dict[str, Any], list[str]]] = [
    ("bigint", {"thousands": "."}, ["1.000", "1.00", "10.000.000", "1000", "1.000.00", "0.100", "1,000", "-1.000"]),
    ("decimal(9,2)", {"decimal": ","}, ["1,5", "1.5", "1,50", ",5", "5,", "1,505", "1.000,5"]),
    ("decimal(9,2)", {"decimal": ",", "thousands": "."}, ["1.000,5", "1.5", "1,5", "10.00", "1.000", "1.000,505"]),
    ("double", {"thousands": "'"}, ["1'000", "1'00", "1'000.5", "1e3"]),
    ("bigint", {"thousands": " "}, ["1 000", " 1 000 ", "1 00"]),
    ("boolean", {"true_values": ["ja", "J"], "false_values": ["nein"]}, ["JA", "j", "nein", "true", "Nein", "1"]),
    ("date", {"date_format": "%d/%m/%Y"}, ["5/1/2026", "05/01/2026", "05/01/26", "31/02/2026", "05/01/0999", "05-01-2026",
                                            "05/01/2026 ", "2026-01-05", "005/01/2026"]),
    ("date", {"date_format": "%Y%m%d"}, ["20260105", "2026015", "20261301", "202601051"]),
    ("timestamp", {"timestamp_format": "%d.%m.%Y %H:%M:%S"},
     ["5.1.2026 1:2:3", "05.01.2026 24:00:00", "05.01.2026 10:00:60", "05.01.2026 10:00", "05x01x2026 10:00:00"]),
    ("timestamp", {"timestamp_format": "%Y-%m-%d %H:%M:%S.%f"},
     ["2026-01-05 10:11:12.1", "2026-01-05 10:11:12.123456", "2026-01-05 10:11:12.1234567", "2026-01-05 10:11:12"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "read", "values"), READ, ids=lambda value: str(value) if isinstance(value, dict) else ""
)
def test_options_of_read_mean_the_same(lake: Lake, kind: str, read: dict[str, Any], values: list[str]) -> None:
    lake.table = contract({"id": "bigint", "v": kind})
    lake.put(f"{DAY}/odd.csv", "id;v\n" + "".join(f"{n};{quoted(value)}\n" for n, value in enumerate(values)))
    ids = {"columns": {"id": "id", "v": "v"}}
    lake.same(read={"delimiter": ";", **read}, **ids)


def test_malformed_records_are_kept_with_file_and_record(lake: Lake) -> None:
    lake.put(f"{DAY}/a.csv", b"\nid,name\n1,a\n2\n3,c,d\n4,d\n5,\xff\n6,f\n")
    lake.put(f"{DAY}/b.csv.gz", 'id,name\r\n7,"x\r\ny"\r\n8\r\n9,z\r\n')
    _, good, bad = lake.same()
    assert [row[0] for row in good] == [1, 4, 6, 7, 9]
    assert [(row[0].split("/")[1], row[1], row[2]) for row in bad] == [
        ("a.csv", 2, "malformed"), ("a.csv", 3, "malformed"), ("a.csv", 5, "encoding"), ("b.csv.gz", 2, "malformed"),
    ]  # fmt: skip


@pytest.mark.parametrize("drift", ["freeze", "evolve", "quarantine"])
def test_headers_that_differ(lake: Lake, drift: str) -> None:
    """A file with its columns in another order is as good as any; one with others is judged by on_drift."""
    lake.table = contract({"id": "bigint", "name": "varchar", "note": "varchar"}, on_drift=drift)
    lake.put(f"{DAY}/a.csv", "id,name,note\n1,a,x\n")
    lake.put(f"{DAY}/b.csv", "Note,ID,name\ny,2,b\n")
    lake.same()
    lake.put(f"{DAY}/c.csv", "id,name\n3,c\n")
    lake.put(f"{DAY}/d.csv", "id,name,note,extra\n4,d,,\n5,e,,z\n")
    if drift == "freeze":
        for way in (lambda: lake.staged(refresh=True), lambda: lake.ordinary(refresh=True)):
            with pytest.raises(ContractError, match=r"note|extra"):
                way()
        return
    lake.same(refresh=True)


def test_lines_of_json(lake: Lake) -> None:
    lake.table = contract(
        {"id": "bigint", "name": "varchar", "at": "timestamp", "is_on": "boolean", "price": "decimal(9,2)"}
    )
    lines = ['{"id": 1, "name": "a", "at": "2026-01-05T10:00:00Z", "is_on": true, "price": 1.5}', '{"id": 2, "Name": "b"}',
             '{"id": 3, "name": {"x": [1, null]}, "at": null}', "not json", "[1]", '"text"', '{"id": 4, "name": "ü\\n\\"q\\""}', '{"id": 4.5}',
             '{"id": "5", "name": "", "is_on": "f"}', ' {"id": 6} ', '{"id": 7', '{"id": 8, "name": 9}', "{}", '{"id": 9, "name": "a", "NAME": "b"}',
             '{"id": 10, "NAME": null, "name": 1}', '{"id": 11, "NAME": "c"}']  # fmt: skip
    lake.put(f"{DAY}/a.ndjson", "\n".join(lines) + "\n")
    lake.put(f"{DAY}/b.ndjson.gz", '{"id": 20, "price": "3.25"}\n')
    _, good, bad = lake.same(path="{as_of}/*.ndjson*")
    assert len(good) >= 6 and len(bad) >= 5


def test_windows_filters_and_expressions(lake: Lake) -> None:
    """Rows of other days and rows that a where leaves out are counted apart; an expression is SQL of either engine here."""
    lake.table = contract(
        {"id": "bigint", "kind": "varchar", "at": "timestamp", "twice": "bigint"},
        mode="append",
        event_time="at",
        lookback_days=1,
    )
    lake.put(
        "all.csv",
        "ClickId,Kind,When,n\n1,A,2026-01-05 10:00:00,1\n2,B,2026-01-01 10:00:00,2\n3,C,,3\n4,drop,2026-01-05,4\n5,E,x,5\n",
    )
    manifest, good, _ = lake.same(
        path="all.csv", where="kind <> 'drop'",
        columns={"id": "ClickId", "kind": "lower(Kind)", "at": "When", "twice": "cast(n as integer) * 2"},
    )  # fmt: skip
    assert manifest.rows_filtered == 2 and [row[1] for row in good] == ["a", "c"]


@pytest.mark.parametrize(
    ("name", "data", "read"),
    [
        ("bom.csv", b"\xef\xbb\xbfid,name\r\n1,\xc3\xbc\r\n", {}),
        ("latin.csv", "id,name\n1,\xfc\n".encode("latin-1"), {"encoding": "latin-1"}),
        ("wide.csv.gz", "id,name\n1,\u20ac\n".encode("utf-16"), {"encoding": "utf-16"}),
        ("tabs.tsv", b"id\tname\n1\ta,b\n2\t'x'\n", {}),
        ("bars.csv", b"id||name\n1||a|b\n", {"delimiter": "||"}),
        ("single.csv", b"id,name\n1,'a,b''c'\n2,\"x\"\n", {"quote": "'"}),
        ("bare.csv", b'id,name\n1,"a"\n2,NA\n', {"quote": "", "null_values": ["NA"]}),
    ],
)
def test_how_files_are_written(lake: Lake, name: str, data: bytes, read: dict[str, Any]) -> None:
    lake.put(f"{DAY}/{name}", data)
    _, good, bad = lake.same(path="{as_of}/*", read=read)
    assert good and not bad

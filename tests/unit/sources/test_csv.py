"""CSV as it comes: encodings, separators, and files that are damaged in places."""

from __future__ import annotations

import gzip
import re

import pytest

from regulars.errors import ContractError
from regulars.sources.lines import count_lines

HEADER = b"id,email,amount,born_on,seen_at,is_member,tier\n"


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_broken_records_are_kept_with_place_and_bytes(place, ending: bytes) -> None:
    good, odd = b"1,a,1,,,,\n", b'3,"x\n\ny",2,,,,\n'
    content = HEADER + good + b"2,\xff\xfe,1,,,,\n" + odd + b"4,too,few\n5,a,1,,,,,,9\n6,z,1,,,,\n"
    content = content.replace(b"\n", ending)
    place.write("people.csv", content)
    manifest = place.land().manifest
    assert place.rows(manifest) == [(1, 1), (3, 3), (6, 6)]
    assert place.rejects(manifest, "record_number, rule, raw, source") == [
        (2, "encoding", r"2,\xff\xfe,1,,,,", "people.csv"),
        (4, "malformed", "4,too,few", "people.csv"),
        (5, "malformed", "5,a,1,,,,,,9", "people.csv"),
    ]
    for (offset,), record in zip(place.rejects(manifest, "byte_offset"), (b"2,", b"4,", b"5,"), strict=True):
        assert content[offset : offset + 2] == record
    assert manifest.rejects_by_rule == {"encoding": 1, "malformed": 2}
    assert manifest.rows_read == manifest.rows_loaded + manifest.rows_quarantined


def test_a_lost_quote_refuses_the_whole_file(place) -> None:
    lines = [b'%d,"a",1,,,,\n' % n for n in range(5000)]
    lines[700] = b'700,"a,1,,,,\n'
    place.write("people.csv", HEADER + b"".join(lines))
    with pytest.raises(ContractError, match=r"people\.csv: .*quote.* at line \d+; nothing of it was landed") as caught:
        place.land()
    assert "mend or resend" in caught.value.remedy


def test_a_file_in_another_encoding_is_refused_and_read_when_named(place) -> None:
    rows = "".join(f"{n},Zoë €,1,,,,\n" for n in range(50)).encode("cp1252")
    place.write("people.csv", HEADER + rows)
    with pytest.raises(ContractError, match="50 of 50 records are not utf-8") as caught:
        place.land()
    assert "cp1252" in caught.value.remedy
    manifest = place.land(read={"encoding": "cp1252"}).manifest
    assert place.rows(manifest, "email")[0] == ("Zoë €", 1)


def test_a_byte_unknown_to_the_encoding_is_one_bad_record(place) -> None:
    place.write("people.csv", HEADER + b"1,caf\xe9,1,,,,\n2,\x81,1,,,,\n")
    manifest = place.land(read={"encoding": "cp1252"}).manifest
    assert place.rows(manifest, "email") == [("café", 1)]
    assert place.rejects(manifest, "record_number, rule, byte_offset") == [(2, "encoding", None)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_encodings(place, encoding: str) -> None:
    place.write("people.csv", (HEADER.decode() + "1,é,1,,,,\n").encode(encoding))
    assert place.rows(place.land(read={"encoding": encoding}).manifest, "email") == [("é", 1)]


def test_gzip_header_only_delimiters_and_line_ends(place) -> None:
    place.write("people.csv.gz", gzip.compress(HEADER + b"1,x,1,,,,\n2,x\n"))
    manifest = place.land(path="people.csv.gz").manifest
    assert (place.rows(manifest), place.rejects(manifest)) == ([(1, 1)], [(2, "malformed")])
    rows = HEADER.replace(b",", b"\t") + b"1\t\t\t\t\t\t\n"
    place.write("people.tsv", rows.replace(b"\n", b"\r"))
    assert place.rows(place.land(path="people.tsv", refresh=True).manifest) == [(1, 1)]
    place.write("mixed.csv", HEADER + b"1,,,,,,\r\n2,,,,,,\n3,,,,,,\r\n4,,,,,,\n")
    assert [row[0] for row in place.rows(place.land(path="mixed.csv", refresh=True).manifest)] == [1, 2, 3, 4]
    place.write("empty.csv", b"")
    with pytest.raises(ContractError, match="not even a header"):
        place.land(path="empty.csv", refresh=True)


def test_no_header_skip_names_and_escape(place) -> None:
    place.write("people.csv", b'report of today\n\n1|"a\\"b"|2.5\n')
    read = {"delimiter": "|", "escape": "\\", "skip": 2, "header": False, "names": ["id", "email", "amount"]}
    manifest = place.land(place.contract(on_drift="evolve"), read=read).manifest
    assert place.rows(manifest, "id, email") == [(1, 'a"b', 1)]


def test_repeated_header_names_stay_apart(place) -> None:
    place.write("people.csv", b"id,amount,Amount,\n1,2,3,4\n")
    columns = {"id": "id", "email": "column4", "amount": "Amount_1"}
    manifest = place.land(place.contract(on_drift="evolve"), columns=columns).manifest
    assert [str(cell) for cell in place.rows(manifest, "amount, email")[0]] == ["3.00", "4", "1"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_physical_lines_are_counted_over_chunk_borders(tmp_path, monkeypatch, ending: str, last: str) -> None:
    monkeypatch.setattr("regulars.sources.lines.CHUNK", 3)
    text = ending.join(["a", "", "bcd", "", "", "efghi", last])
    path = tmp_path / "lines"
    path.write_bytes(text.encode())
    lines = re.split("\r\n|\n|\r", text)
    assert count_lines(path, 0, with_blank=False) == sum(line != "" for line in lines)
    assert count_lines(path, 0, with_blank=True) == len(lines) - (lines[-1] == "")


@pytest.mark.parametrize("before", [b"\n", b"\r\n", b"\n\n\n", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize("broken", [b"", b"3,too,few\n"])
def test_empty_lines_before_the_header_are_no_records(place, before: bytes, broken: bytes) -> None:
    rows = b"1,a,1,,,,\n2,b,1,,,,\n" + broken
    ending = b"\r\n" if b"\r" in before else b"\n"
    place.write("people.csv", before + (HEADER + rows).replace(b"\n", ending))
    manifest = place.land().manifest
    assert place.rows(manifest) == [(1, 1), (2, 2)]
    assert place.rejects(manifest, "record_number, rule") == ([(3, "malformed")] if broken else [])


def test_empty_lines_after_skipped_ones_are_skipped_too(place) -> None:
    place.write("people.csv", b"exported today\n\n" + HEADER + b"1,a,1,,,,\n")
    assert place.rows(place.land(read={"skip": 1}).manifest) == [(1, 1)]

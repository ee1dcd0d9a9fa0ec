"""Any bytes at all, and valid files with bits flipped, cut and spliced: an error of ours, or every record accounted for."""

from __future__ import annotations

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.errors import RegularsError

RECORDS = [{"id": n, "email": f"m{n}@x", "amount": n / 4, "born_on": "2020-01-01", "tier": "gold"} for n in range(40)]
NAMES = list(RECORDS[0])


def _parquet() -> bytes:
    stream = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(RECORDS), stream, row_group_size=10)
    return bytes(stream.getvalue())


CSV = "\n".join([",".join(NAMES), *(",".join(map(str, record.values())) for record in RECORDS), ""]).encode()
LINES = "".join(f"{json.dumps(record)}\n" for record in RECORDS).encode()
VALID = {
    "csv": CSV,
    "csv.gz": gzip.compress(CSV, mtime=0),
    "ndjson": LINES,
    "json": json.dumps(RECORDS).encode(),
    "parquet": _parquet(),
}
TEXT = st.text(st.characters(codec="utf-8"), max_size=60).map(str.encode)
ODD = st.sampled_from(
    [
        b"",
        b"\0",
        b'"',
        b"\n",
        b"\r",
        b",",
        b"{",
        b"[",
        b"}",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"1e999",
        b"\\ud800",
    ]
)


@st.composite
def mutated(draw: st.DrawFn, valid: bytes) -> bytes:
    """The file with one to four of: a byte changed, a stretch cut out, doubled or replaced."""
    content = bytearray(valid)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        end = min(len(content), at + draw(st.integers(0, 30)))
        how = draw(st.sampled_from(["flip", "cut", "double", "splice", "end"]))
        if how == "flip" and at < len(content):
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "cut":
            del content[at:end]
        elif how == "double":
            content[at:at] = content[at:end]
        elif how == "splice":
            content[at:end] = draw(st.one_of(ODD, TEXT, st.binary(max_size=20)))
        elif how == "end":
            del content[at:]
    return bytes(content)


def _land(place, kind: str, content: bytes) -> None:
    place.write(f"people.{kind}", content)
    contract = place.contract(on_drift="evolve", duplicates="keep")
    try:
        manifest = place.land(contract, path=f"people.{kind}").manifest
    except RegularsError as error:
        assert error.remedy
        assert "people" in error.message
        return
    assert manifest.rows_read == manifest.rows_loaded + manifest.rows_quarantined + manifest.rows_duplicate
    loaded = place.rows(manifest, "id, email, amount")
    rejected = place.rejects(manifest, "record_number, rule, reason, raw")
    assert (len(loaded), len(rejected)) == (manifest.rows_loaded, manifest.rows_quarantined)
    numbers = [row[-1] for row in loaded] + [row[0] for row in rejected]
    assert len(set(numbers)) == len(numbers)
    assert all(reason for _, _, reason, _ in rejected)
    for number, email, _, record in loaded:
        said = _said(kind, content, record)
        assert said is None or said == (number, email)


def _said(kind: str, content: bytes, record: int) -> tuple[int, str | None] | None:
    """Id and e-mail that a plain reader finds in the record of that number; None where it takes more than that."""
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if kind == "ndjson" and b"\r" not in content:
        found = json.loads(lines[record - 1])
        folded = {key.lower(): value for key, value in found.items()}
        email = folded.get("email")
        return int(float(folded["id"])), email if isinstance(email, str | None) else json.dumps(email)
    if kind == "csv" and b"\r" not in content and b'"' not in content:
        header, *rows = [line.decode("utf-8", "replace").split(",") for line in lines if line]
        names = [name.strip().lower() for name in header]
        email = rows[record - 1][names.index("email")] if "email" in names else ""
        return int(float(rows[record - 1][names.index("id")])), email or None
    return None


@pytest.mark.parametrize("kind", sorted(VALID))
def test_a_valid_file_lands_whole(place, kind: str) -> None:
    place.write(f"people.{kind}", VALID[kind])
    assert place.land(place.contract(on_drift="evolve"), path=f"people.{kind}").manifest.rows_loaded == len(RECORDS)


@pytest.mark.parametrize("kind", sorted(VALID))
@settings(max_examples=12)
@given(data=st.data())
def test_mutated_files(make_place, kind: str, data: st.DataObject) -> None:
    _land(make_place(), kind, data.draw(mutated(VALID[kind])))


@pytest.mark.long
@pytest.mark.parametrize("kind", sorted(VALID))
@settings(max_examples=1000)
@given(data=st.data())
def test_many_mutated_files(make_place, kind: str, data: st.DataObject) -> None:
    _land(make_place(), kind, data.draw(mutated(VALID[kind])))


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "json", "ndjson", "parquet"])
@settings(max_examples=10)
@given(content=st.one_of(st.binary(max_size=300), TEXT, st.lists(ODD, max_size=12).map(b"".join)))
def test_any_bytes(make_place, kind: str, content: bytes) -> None:
    _land(make_place(), kind, content)


@settings(max_examples=4)
@given(data=st.data())
def test_mutated_workbooks(make_place, workbook, data: st.DataObject) -> None:
    book = io.BytesIO()
    workbook(book, [NAMES, *(list(record.values()) for record in RECORDS)])
    _land(make_place(), "xlsx", data.draw(mutated(book.getvalue())))

"""Whatever dirt a file holds: nothing is lost, and every record number points to its line."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

HEADER = "id,email,amount,born_on,seen_at,is_member,tier\n"
GOOD = st.tuples(
    st.integers(1, 5), st.sampled_from(["a", "b", '"c\n\nd"', '"e,f"', '""']), st.sampled_from(["1", "2.50", ""])
).map(lambda row: f"{row[0]},{row[1]},{row[2]},,,,".encode())
TYPED_WRONG = st.sampled_from(
    [b"x,a,1,,,,", b",a,1,,,,", b"1,a,-1,,,,", b"1,a,1,2026-02-31,,,", b"1,a,1,,,maybe,", b"1,a,1,,,,tin"]
)
BROKEN = st.sampled_from([b"1,\xff,1,,,,", b"1,a", b"1,a,1,,,,,,", b"\xc3,\xff", b"1,a,1,,,,,z"])


@settings(max_examples=40)
@example(rows=[b"1,a,1,,,,", b"1,a,1,,,,,,"], ending=b"\n", end=False, blank=[0] * 12)
@example(rows=[b"1,a,1,,,,", b"1,a", b"2,a,1,,,,", b"3,a,1,,,,"], ending=b"\n", end=True, blank=[0, 1] + [0] * 10)
@given(
    rows=st.lists(st.one_of(GOOD, GOOD, TYPED_WRONG, BROKEN), max_size=12),
    ending=st.sampled_from([b"\n", b"\r\n"]),
    end=st.booleans(),
    blank=st.lists(st.integers(0, 2), min_size=12, max_size=12),
)
def test_every_record_is_loaded_quarantined_or_a_duplicate(
    make_place, rows: list[bytes], ending: bytes, end: bool, blank: list[int]
) -> None:
    place = make_place()
    lines = [b"\n" * count + row for row, count in zip(rows, blank, strict=False)]
    content = HEADER.encode() + b"\n".join(lines) + (b"\n" if end and rows else b"")
    place.write("people.csv", content.replace(b"\n", ending))
    manifest = place.land().manifest
    assert manifest.rows_read == len(rows)
    assert manifest.rows_read == manifest.rows_loaded + manifest.rows_quarantined + manifest.rows_duplicate
    loaded = place.rows(manifest, "id, email, amount")
    assert len(loaded) == manifest.rows_loaded
    rejected = place.rejects(manifest, "record_number")
    assert len(rejected) == manifest.rows_quarantined
    for number, email, _, record in loaded:
        source = rows[record - 1].decode()
        assert source.startswith(f"{number},")
        assert (email or "").replace("\r", "") in source
    numbers = [row[-1] for row in loaded] + [row[0] for row in rejected]
    assert len(set(numbers)) == len(numbers)
    dropped = set(range(1, len(rows) + 1)) - set(numbers)
    assert len(dropped) == manifest.rows_duplicate
    for number in dropped:  # each has an equal row before it
        before = [rows[record - 1] for *_, record in loaded if record < number]
        assert meaning(rows[number - 1]) in map(meaning, before)


def meaning(row: bytes) -> bytes:
    """A row up to its last value: empty fields behind it, also surplus ones, say nothing."""
    return row.replace(b",1,", b",1.00,").rstrip(b",")


def test_surplus_fields_count_where_they_hold_something(make_place) -> None:
    place = make_place()
    place.write("people.csv", HEADER + "1,a,1,,,,gold\n1,a,1,,,,gold,,\n2,a,1,,,,gold,,\n3,a,1,,,,gold,,x\n")
    manifest = place.land().manifest
    assert [row[-1] for row in place.rows(manifest, "id")] == [1, 3], "the second equals the first"
    assert place.rejects(manifest, "record_number, reason") == [(4, "too many fields: expected 7, found more")]


moments = st.datetimes(datetime(1900, 1, 1), datetime(2026, 1, 25, 23)).map(lambda moment: moment.replace(tzinfo=None))
money = st.decimals(Decimal(0), Decimal(1000), places=2)


@settings(max_examples=25)
@given(
    rows=st.lists(
        st.tuples(
            st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20)),
            st.one_of(st.none(), money),
            st.one_of(st.none(), moments),
            st.one_of(st.none(), st.booleans()),
            st.integers(-12, 12),
        ),
        max_size=8,
    )
)
def test_values_survive_the_way_through_text(make_place, rows: list[tuple]) -> None:
    place = make_place()
    lines = []
    for number, (text, amount, moment, flag, offset) in enumerate(rows):
        quoted = "" if text is None else '"' + text.replace('"', '""') + '"'
        local = "" if moment is None else (moment + timedelta(hours=offset)).isoformat() + f"{offset:+03d}:00"
        lines.append(f"{number},{quoted},{'' if amount is None else amount},,{local},{'' if flag is None else flag},\n")
    place.write("people.csv", HEADER + "".join(lines))
    manifest = place.land(place.contract(duplicates="keep")).manifest
    assert place.rejects(manifest, "record_number, reason, raw") == []
    assert [row[:4] for row in place.rows(manifest, "email, amount, seen_at, is_member")] == [row[:4] for row in rows]

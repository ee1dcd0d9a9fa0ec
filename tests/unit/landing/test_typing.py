"""What counts as a value of a type, and what goes to quarantine instead of being bent into one."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

HEADER = ["id", "email", "amount", "born_on", "seen_at", "is_member", "tier"]


def _csv(*rows: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows({"id": number, **row} for number, row in enumerate(rows, start=1))
    return out.getvalue()


GOOD = [
    ("id", "+7", 7),
    ("id", " 7 ", 7),
    ("id", "7.0", 7),
    ("id", "007", 7),
    ("id", "-9223372036854775808", -(2**63)),
    ("amount", ".5", Decimal("0.50")),
    ("amount", "1.500", Decimal("1.50")),
    ("amount", "12.", Decimal("12.00")),
    ("born_on", "2026-01-25", date(2026, 1, 25)),
    ("born_on", "2026-01-01T00:00:00.000", date(2026, 1, 1)),
    ("seen_at", "2026-01-01", datetime(2026, 1, 1)),
    ("seen_at", "2026-01-01T10:00", datetime(2026, 1, 1, 10)),
    ("seen_at", "2026-01-01 10:00:00.123456000", datetime(2026, 1, 1, 10, 0, 0, 123456)),
    ("seen_at", "2026-01-01T10:00:00Z", datetime(2026, 1, 1, 10)),
    ("seen_at", "2026-01-01T10:00:00+02:00", datetime(2026, 1, 1, 8)),
    ("seen_at", "2026-01-01 10:00:00 -0130", datetime(2026, 1, 1, 11, 30)),
    ("seen_at", "2026-01-01 10:00+02", datetime(2026, 1, 1, 8)),
    ("seen_at", "2026-01-25 23:59:59.999999", datetime(2026, 1, 25, 23, 59, 59, 999999)),
    ("is_member", "TRUE", True),
    ("is_member", "f", False),
    ("is_member", "0", False),
    ("is_member", "", None),
    ("amount", "  ", None),
    ("tier", "gold", "gold"),
    ("tier", "", None),
]
BAD = [
    ("id", "1.5", "type"),
    ("id", "0x1F", "type"),
    ("id", "1_000", "type"),
    ("id", "1e3", "type"),
    ("id", "9223372036854775808", "type"),
    ("id", "", "required"),
    ("id", " ", "required"),
    ("id", "one", "type"),
    ("amount", "1.555", "type"),
    ("amount", "1,5", "type"),
    ("amount", "NaN", "type"),
    ("amount", "inf", "type"),
    ("amount", "1e2", "type"),
    ("amount", "123456789", "type"),
    ("amount", "-0.01", "min"),
    ("amount", "1000.01", "max"),
    ("born_on", "2026-02-31", "type"),
    ("born_on", "31/01/2026", "type"),
    ("born_on", "infinity", "type"),
    ("born_on", "2026-1-1", "type"),
    ("born_on", "2026-01-01 10:00:00", "type"),
    ("born_on", "2026-01-26", "max"),
    ("seen_at", "yesterday", "type"),
    ("seen_at", "2026-01-26 00:00:00", "max"),
    ("seen_at", "2026-01-25 23:30:00-01:00", "max"),
    ("seen_at", "2026-01-01 10:00:00.1234567", "type"),
    ("seen_at", "epoch", "type"),
    ("seen_at", "2026-01-01 25:00:00", "type"),
    ("is_member", "yes", "type"),
    ("is_member", "2", "type"),
    ("tier", "Gold", "enum"),
    ("tier", "gold ", "enum"),
]


def test_good_values_arrive_as_they_are_meant(place) -> None:
    place.write("people.csv", _csv(*({column: text} for column, text, _ in GOOD)))
    contract = place.contract(key=("id",), duplicates="keep")
    manifest = place.land(contract).manifest
    assert place.rejects(manifest, "record_number, reason") == []
    rows = place.rows(manifest, ", ".join(HEADER))
    found = [row[HEADER.index(column)] for (column, _, _), row in zip(GOOD, rows, strict=True)]
    assert found == [value for _, _, value in GOOD]


def test_bad_values_go_to_quarantine_with_rule_and_record(place) -> None:
    place.write("people.csv", _csv(*({column: text} for column, text, _ in BAD)))
    manifest = place.land().manifest
    assert place.rejects(manifest) == [(number, rule) for number, (_, _, rule) in enumerate(BAD, start=1)]
    assert place.rows(manifest) == []
    for (reason,), (column, _, _) in zip(place.rejects(manifest, "reason"), BAD, strict=True):
        assert reason.startswith(column)


def test_reason_shows_a_value_unless_it_is_personal(place) -> None:
    contract = place.contract()
    columns = tuple(c.model_copy(update={"enum": ("a@b",)}) if c.name == "email" else c for c in contract.columns)
    place.write("people.csv", _csv({"email": "secret@person.example"}, {"amount": "plenty"}))
    manifest = place.land(contract.model_copy(update={"columns": columns})).manifest
    assert place.rejects(manifest, "reason") == [("email: is none of a@b",), ("amount: plenty is not decimal(7,2)",)]
    assert "secret@person.example" in place.rejects(manifest, "raw")[0][0]


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        ({"decimal": ","}, "12,50", Decimal("12.50")),
        ({"decimal": ",", "thousands": "."}, "+0.012,5", None),
        ({"decimal": ",", "thousands": "."}, "1.000", Decimal("1000.00")),
        ({"decimal": ","}, "12.50", None),
        ({"thousands": ","}, "1,000.00", Decimal("1000.00")),
        ({"thousands": ","}, "1,00", None),
        ({"thousands": "'"}, "1'000", Decimal("1000.00")),
    ],
)
def test_numbers_of_other_countries(place, read: dict[str, str], text: str, expected: Decimal | None) -> None:
    place.write("people.csv", _csv({"amount": text}))
    manifest = place.land(read=read).manifest
    assert [row[0] for row in place.rows(manifest, "amount")] == ([] if expected is None else [expected])
    assert manifest.rows_quarantined == (expected is None)


def test_dates_and_moments_by_format_and_zone(place) -> None:
    place.write(
        "people.csv",
        _csv(
            {"born_on": "31/12/2025", "seen_at": "31.12.2025 10:00"}, {"born_on": "31/02/2025"}, {"born_on": "1/1/25"}
        ),
    )
    read = {"date_format": "%d/%m/%Y", "timestamp_format": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"}
    manifest = place.land(read=read).manifest
    assert place.rows(manifest, "born_on, seen_at") == [(date(2025, 12, 31), datetime(2025, 12, 31, 9), 1)]
    assert place.rejects(manifest) == [(2, "type"), (3, "type")]


def test_missing_values_and_words_for_truth(place) -> None:
    place.write("people.csv", 'id,email,amount,born_on,seen_at,is_member,tier\n1,"",n/a,,,Ja,\n2,,"n/a",,,nein,\n')
    manifest = place.land(read={"null_values": ["n/a"], "true_values": ["ja"], "false_values": ["nein"]}).manifest
    assert place.rows(manifest, "email, amount, is_member") == [("", None, True, 1)]
    assert place.rejects(manifest, "record_number, reason") == [(2, "amount: n/a is not decimal(7,2)")]


def test_pseudonyms_are_hmac_of_the_normal_form(place) -> None:
    place.write("people.csv", _csv({"email": " Ada@Example.ORG "}, {"email": ""}, {"email": None}))
    manifest = place.land().manifest
    key = place.settings.pseudonym_secret()
    expected = hmac.new(key, b"ada@example.org", hashlib.sha256).hexdigest()
    assert [row[0] for row in place.rows(manifest, "email_hash")] == [expected, None, None]

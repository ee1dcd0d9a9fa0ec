"""Planted faults: each stands in the files, none meets another, and the record of them survives its JSON."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import pytest

from regulars.sample import SampleSpec, planted_until, read_planted, write_sample
from regulars.sample.faults import FORMULA_USERS, UNKNOWN_REGION, plan_faults
from regulars.sample.planted import Planted
from regulars.sample.tables import sample_contracts

SPEC = SampleSpec(users=800, days=5)
PLANTED = plan_faults(SPEC).planted
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(SPEC, folder)
    return folder


def rows_of(folder: Path, fault: Planted, days_on: int = 0, variant: str | None = None) -> Rows:
    base = folder / "variants" / variant if variant else folder
    data = (base / fault.table / f"{SPEC.day_at(SPEC.index_of(fault.day) + days_on)}.csv").read_bytes()
    return list(csv.DictReader(io.StringIO(data.decode(errors="replace"))))


def located(rows: Rows, fault: Planted) -> Rows:
    column, value = fault.locator
    return [row for row in rows if row[column] == value]


def test_number_and_kinds() -> None:
    kinds = Counter(fault.kind for fault in PLANTED)
    assert kinds["bad_row"] == 21
    assert {fault.rule for fault in PLANTED if fault.kind == "bad_row"} == {"type", "required", "enum", "min", "max"}
    assert len(kinds) == 13
    assert len(planted_until(SPEC, SPEC.day_at(4), "postgres")) == 37
    assert len(planted_until(SPEC, SPEC.day_at(4), "files")) == 39
    assert len({fault.id for fault in PLANTED}) == len(PLANTED)


def test_no_two_faults_share_a_record_or_a_user() -> None:
    assert len({(fault.table, fault.day, fault.locator) for fault in PLANTED}) == len(PLANTED)
    users = Counter(fault.locator[1] for fault in PLANTED if fault.locator[0] == "user_id" and fault.kind != "shrunken")
    assert set(users.values()) == {1}


def test_every_bad_row_breaks_exactly_its_rule(folder: Path) -> None:
    for fault in PLANTED:
        if fault.kind != "bad_row":
            continue
        [row] = located(rows_of(folder, fault), fault)
        columns = sample_contracts()[fault.table].columns
        missing = [c.name for c in columns if c.required and row[c.name] == ""]
        outside = [c.name for c in columns if c.enum and row[c.name] and row[c.name] not in c.enum]
        assert missing == ([fault.column] if fault.rule == "required" else []), fault.id
        assert outside == ([fault.column] if fault.rule == "enum" else []), fault.id


def test_duplicates_are_equal_and_versions_differ(folder: Path) -> None:
    for fault in PLANTED:
        rows = located(rows_of(folder, fault), fault)
        if fault.kind == "duplicate":
            assert len(rows) == 2, fault.id
            assert rows[0] == rows[1], fault.id
        if fault.kind == "versions":
            assert len(rows) == 2, fault.id
            assert rows[0]["updated_at"] > rows[1]["updated_at"], "the older version arrives last"


def test_strangers_come_every_day(folder: Path) -> None:
    for fault in PLANTED:
        if fault.kind in ("unknown_region", "unknown_user"):
            for days_on in range(SPEC.days - SPEC.index_of(fault.day)):
                assert len(located(rows_of(folder, fault, days_on), fault)) == 1
        if fault.kind == "unknown_region":
            assert located(rows_of(folder, fault), fault)[0]["region_code"] == UNKNOWN_REGION


def test_formulas_stand_in_names_and_account_numbers(folder: Path) -> None:
    name, accounts = (fault for fault in PLANTED if fault.kind == "formula")
    assert located(rows_of(folder, name), name)[0]["region_name"] == name.expect["texts"][0]
    found = {row["user_id"] for row in rows_of(folder, accounts)}
    assert set(FORMULA_USERS) <= found


def test_broken_lines_are_in_files_only(folder: Path) -> None:
    encoding, malformed = (next(f for f in PLANTED if f.kind == kind) for kind in ("encoding", "malformed"))
    data = (folder / encoding.table / f"{encoding.day}.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        data.decode()
    assert len(located(rows_of(folder, encoding), encoding)) == 1
    [row] = located(rows_of(folder, malformed), malformed)
    assert row[None] == ["one", "too", "many"]  # type: ignore[index]
    assert encoding.origins == malformed.origins == ("files",)


def test_leavers_late_and_revised(folder: Path) -> None:
    def one(kind: str) -> Planted:
        return next(fault for fault in PLANTED if fault.kind == kind)

    gone, back, late, revised = one("vanished"), one("returned"), one("late"), one("revised")
    assert [len(located(rows_of(folder, gone, on), gone)) for on in (-1, 0, 1, 2)] == [1, 0, 0, 0]
    assert [len(located(rows_of(folder, back, on), back)) for on in (-1, 0, 1, 2)] == [1, 0, 0, 1]
    assert located(rows_of(folder, late), late) == []
    [event] = located(rows_of(folder, late, 1), late)
    assert event["occurred_at"].startswith(str(late.day))
    amounts = [located(rows_of(folder, revised, 0, v), revised)[0]["purchase_amount"] for v in (None, "corrected")]
    assert amounts == [revised.expect["before"], revised.expect["after"]]


def test_the_shrunken_snapshot_has_about_a_third(folder: Path) -> None:
    fault = next(fault for fault in PLANTED if fault.kind == "shrunken")
    share = len(rows_of(folder, fault, 0, "shrunken")) / len(rows_of(folder, fault))
    assert 0.25 < share < 0.35


def test_planted_json_says_the_same(folder: Path) -> None:
    assert read_planted(folder / "planted.json") == PLANTED


@pytest.mark.parametrize("days", [1, 2, 3, 4, 8])
def test_short_and_long_samples_keep_what_fits(days: int) -> None:
    spec = SampleSpec(users=800, days=days)
    last = spec.day_at(days - 1)
    assert all(fault.settled_on <= last for fault in plan_faults(spec).planted)
    assert plan_faults(spec).planted == [fault for fault in PLANTED if fault.settled_on <= last]


def test_a_sample_without_faults_has_none() -> None:
    assert plan_faults(SampleSpec(users=800, faults=False)).planted == []

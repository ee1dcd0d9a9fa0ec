"""The life of a landing: committed once, revised on request, blocked by guards, left whole by failures."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from regulars import duplicates
from regulars.batches import BusinessDay
from regulars.errors import ConfigError, ContractError, SourceError
from regulars.landing import is_reachable, plan_extract
from regulars.manifest import Manifest

HEADER = "id,email,amount,born_on,seen_at,is_member,tier\n"
DAYS = [date(2026, 1, 20) + timedelta(days=n) for n in range(6)]


def _people(ids: range) -> str:
    return HEADER + "".join(f"{number},,,,,,\n" for number in ids)


def test_a_landing_is_made_once_and_revised_only_when_content_differs(place) -> None:
    place.write("people.csv", _people(range(3)))
    first = place.land()
    place.write("people.csv", _people(range(4)))
    again = place.land()
    refreshed = place.land(refresh=True)
    same = place.land(refresh=True)
    assert (first.created, again.created, refreshed.created, same.created) == (True, False, True, False)
    assert again.manifest == first.manifest
    assert [first.manifest.revision, refreshed.manifest.revision, same.manifest.revision] == [1, 2, 2]
    assert refreshed.manifest.rows_loaded == 4
    assert place.land().manifest == refreshed.manifest


def test_a_clean_part_carries_null_record_numbers_and_equal_bytes(place, make_place) -> None:
    other = make_place()
    for here in (place, other):
        here.write("people.csv", _people(range(3)))
    assert place.land().manifest.batch_id == other.land().manifest.batch_id
    assert [row[-1] for row in place.rows(place.land().manifest)] == [1, 2, 3]


def test_unfinished_folders_are_cleared_and_a_failure_leaves_nothing(place) -> None:
    day = Path(place.settings.landing_root) / "people" / "as_of=2026-01-25"
    (day / "killed").mkdir(parents=True)
    (day / "killed" / "part-0000.parquet").write_bytes(b"half")
    place.write("people.csv", "wrong,columns\n1,2\n")
    with pytest.raises(ContractError, match="missing: id"):
        place.land()
    assert list(day.iterdir()) == []
    assert list((place.settings.home_dir / "spool").iterdir()) == []
    place.write("people.csv", _people(range(3)))
    assert place.land().created


def test_exact_duplicates_are_dropped_across_files_and_versions_kept(place) -> None:
    place.write("people-1.csv", HEADER + "1,a@b,1,,,,\n2,,,,,,\n1,a@b,1,,,,\n")
    place.write("people-2.csv", HEADER + "2,,,,,,gold\n1,a@b,1.00,,,,\n3,,,,,,\n")
    manifest = place.land(path="people-*.csv").manifest
    assert (manifest.rows_read, manifest.rows_loaded, manifest.rows_duplicate) == (6, 4, 2)
    assert place.rows(manifest, "id, tier") == [(1, None, 1), (2, None, 2), (2, "gold", 1), (3, None, 3)]
    kept = place.land(place.contract(duplicates="keep"), day=date(2026, 1, 26), path="people-*.csv").manifest
    assert (kept.rows_loaded, kept.rows_duplicate) == (6, 0)


def test_an_empty_snapshot_blocks_and_can_be_accepted(place) -> None:
    place.write("people.csv", HEADER)
    blocked = place.land().manifest
    assert (blocked.verdict.status, blocked.verdict.reasons) == ("blocked", ("the snapshot has no rows",))
    again = place.land()
    assert (again.created, again.manifest.revision) == (False, 1)
    accepted = place.land(accept=True)
    assert (accepted.created, accepted.manifest.revision, accepted.manifest.verdict.status) == (True, 1, "overridden")
    assert place.land().manifest == accepted.manifest


def _land_days(place, counts: list[range]) -> list[Manifest]:
    landed = []
    for day, ids in zip(DAYS, counts, strict=False):
        place.write(f"{day}.csv", _people(ids))
        landed.append(place.land(day=day, path="{as_of}.csv").manifest)
    return landed


def test_guards_need_three_days_and_block_shrunken_snapshots(place) -> None:
    assert [m.is_accepted for m in _land_days(place, [range(100), range(10), range(100), range(49)])] == [
        True,
        True,
        True,
        False,
    ]
    place.write(f"{DAYS[3]}.csv", _people(range(100)))
    whole = place.land(day=DAYS[3], path="{as_of}.csv")
    assert (whole.created, whole.manifest.revision, whole.manifest.is_accepted) == (True, 2, True)


def test_guards_say_in_numbers_what_is_wrong(place) -> None:
    verdict = _land_days(place, [range(100)] * 3 + [range(20, 60)])[-1].verdict
    assert verdict.reasons == (
        "40 rows, under half of 100, the median of the 3 accepted days before",
        "60.0% of the keys of 2026-01-22 are gone, more than 10%",
    )
    assert (verdict.compared_batches, verdict.expected_rows, verdict.keys_gone_pct) == (3, 100.0, 60.0)


def test_guards_let_a_tenth_of_the_keys_go_and_skip_blocked_days(place) -> None:
    landed = _land_days(place, [range(100)] * 3 + [range(5), range(10, 100), range(21, 100)])
    assert [m.is_accepted for m in landed[3:]] == [False, True, False]
    assert landed[4].verdict.compared_batches == 3
    assert landed[5].verdict.keys_gone_pct == pytest.approx(100 * 11 / 90, abs=0.01)


def test_an_empty_day_of_events_is_recorded_and_accepted(place) -> None:
    place.write("people.csv", HEADER)
    contract = place.contract(mode="append", event_time="seen_at")
    verdict = place.land(contract).manifest.verdict
    assert verdict.status == "accepted"
    assert verdict.reasons == ("no rows for 2026-01-25; that is not an error for mode append",)


def test_a_past_day_of_a_live_snapshot_cannot_be_asked_for(place) -> None:
    place.write("people.csv", _people(range(3)))
    place.land(day=DAYS[3])
    with pytest.raises(ConfigError, match="live snapshot, and 2026-01-23 is landed"):
        place.land(day=DAYS[2])
    assert place.land(day=DAYS[3], refresh=True).manifest.revision == 1
    events = place.contract(mode="append", event_time="seen_at")
    is_reachable(events, place.sources(path="people.csv"), DAYS[2], DAYS[3])
    is_reachable(place.contract(), place.sources(path="{as_of}.csv"), DAYS[2], DAYS[3])


def test_one_big_file_is_cut_by_the_window_and_the_rest_counted_apart(place) -> None:
    stamps = ["2026-01-22 22:59:59", "2026-01-22 23:00:00", "2026-01-25 22:59:59", "2026-01-25 23:00:00", "", "soon"]
    place.write("people.csv", HEADER + "".join(f"{n},,,,{stamp},,\n" for n, stamp in enumerate(stamps, start=1)))
    place.settings = place.settings.model_copy(update={"timezone": "Europe/Berlin"})
    contract = place.contract(mode="append", event_time="seen_at", lookback_days=2)
    manifest = place.land(contract).manifest
    assert place.rows(manifest) == [(2, 2), (3, 3), (5, 5)]
    assert place.rejects(manifest) == [(6, "type")]
    assert (manifest.rows_read, manifest.rows_filtered) == (4, 2)
    place.write("2026-01-25.csv", (place.folder / "people.csv").read_text())
    dated = place.land(contract, day=date(2026, 1, 25), refresh=True, path="{as_of}.csv").manifest
    assert (dated.rows_read, dated.rows_filtered, dated.rejects_by_rule) == (6, 0, {"max": 1, "type": 1})


def test_the_window_of_a_day_of_23_hours(place) -> None:
    day = BusinessDay(date(2026, 3, 29), place.settings.model_copy(update={"timezone": "Europe/Berlin"}).zone)
    assert (day.end - day.start).total_seconds() == 23 * 3600


def test_the_plan_names_files_and_reads_nothing(place) -> None:
    place.write("people.csv", "not looked at")
    plan = plan_extract(place.contract(), place.sources(path="people.csv", where="id > 1"), place.settings, DAYS[0])
    assert [(entry["bytes"], entry["where"]) for entry in plan] == [(13, "id > 1")]
    with pytest.raises(SourceError, match=r"no file .*/missing-2026-01-20\.csv") as caught:
        plan_extract(place.contract(), place.sources(path="missing-{as_of}.csv"), place.settings, DAYS[0])
    assert "deliver the file" in caught.value.remedy


def test_repeated_rows_are_found_however_many_keys_are_counted_at_once(make_place, monkeypatch) -> None:
    content = HEADER + "".join(f"{number % 40},,,,,,\n" for number in range(100))
    for keys in (1000, 7):
        monkeypatch.setattr(duplicates, "KEYS_AT_ONCE", keys)
        here = make_place()
        here.write("people.csv", content)
        manifest = here.land().manifest
        assert (manifest.rows_read, manifest.rows_loaded, manifest.rows_duplicate) == (100, 40, 60)
        assert [row[0] for row in here.rows(manifest)] == list(range(40))


@pytest.mark.parametrize("bad_line", [None, 1500])
def test_a_large_part_is_cut_for_snowflake(place, monkeypatch: pytest.MonkeyPatch, bad_line: int | None) -> None:
    lines = [f"{n},{n * 7919 % 100_003}@example.org,{n % 900}.50,,,,\n" for n in range(1, 4001)]
    if bad_line:
        lines[bad_line - 1] = "x,a,1,,,,\n"
    place.write("people.csv", HEADER + "".join(lines))
    whole = place.land().manifest
    expected = place.rows(whole, "id, email, amount")
    assert len(whole.parts) == 1
    monkeypatch.setattr("regulars.parts.LARGEST", whole.bytes // 2)
    monkeypatch.setattr("regulars.parts.AIMED", whole.bytes // 4)
    place.settings = place.settings.model_copy(update={"home": place.folder.parent / "other", "warehouse": "snowflake"})
    cut = place.land().manifest
    assert 3 <= len(cut.parts) <= 5
    assert all(part.bytes < whole.bytes // 2 for part in cut.parts)
    assert [part.rows for part in cut.parts[:-1]] == [cut.parts[0].rows] * (len(cut.parts) - 1)
    assert place.rows(cut, "id, email, amount") == expected, "in order, with their places in the source"
    assert (cut.rows_loaded, cut.filled, cut.rows_quarantined) == (
        whole.rows_loaded,
        whole.filled,
        whole.rows_quarantined,
    )
    assert place.land(refresh=True).created is False, "cut at the same rows again"

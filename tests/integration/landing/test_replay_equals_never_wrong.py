"""Replaying quarantine after a fix, against a landing that was right from the start: the same rows, each once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.manifest import Manifest, day_manifests
from regulars.quality.quarantine import replay
from regulars.storage import open_storage

DAY = date(2026, 1, 25)
HEADER = "id,email,amount,born_on,seen_at,is_member,tier\n"
COLUMNS = "id, email, amount, born_on, seen_at, is_member, tier"
# What a source may have wrong before the fix; the mapping of the fix takes the sign away again.
FIXED = {"amount": "ltrim(amount, '!')", "seen_at": "ltrim(seen_at, '!')", "id": "ltrim(id, '!')"}

records = st.fixed_dictionaries(
    {
        "id": st.integers(1, 4).map(str),
        "email": st.sampled_from(["a@x", "B@x ", ""]),
        "amount": st.sampled_from(["1", "2.50", ""]),
        "born_on": st.just("2000-02-29"),
        "seen_at": st.sampled_from(
            ["2026-01-21 23:59:59.999999", "2026-01-22 00:00:00", "2026-01-24 12:00:00", "2026-01-25 23:59:59.999999"]
        ),
        "is_member": st.just("true"),
        "tier": st.just("gold"),
        "wrong": st.sampled_from([None, None, "amount", "seen_at", "id"]),
    }
)


def line(record: dict[str, Any], *, is_right: bool) -> str:
    wrong = None if is_right else record["wrong"]
    return ",".join(("!" if name == wrong else "") + record[name] for name in HEADER.strip().split(","))


def landed(place: Any) -> list[Manifest]:
    storage = open_storage(place.settings.landing_root, place.settings.s3)
    return [found for found in day_manifests(storage, "people", DAY) if found.rows_loaded or found.replays]


def rows_of(place: Any) -> Counter[tuple[Any, ...]]:
    """Rows of all batches without record numbers: of two equal records either may be the one that is kept."""
    return Counter(row[:-1] for manifest in landed(place) for row in place.rows(manifest, COLUMNS))


@pytest.mark.parametrize("mode", ["snapshot", "append"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(records, max_size=8), dated=st.booleans(), steps=st.permutations(sorted(FIXED)))
def test_any_order_of_fixes_ends_in_the_rows_of_a_landing_that_was_right(
    mode: str, found: list[dict[str, Any]], dated: bool, steps: list[str], make_place: Callable[[], Any]
) -> None:
    facts = {"mode": mode, "event_time": "seen_at"} if mode == "append" else {"mode": mode}
    path = "people-{as_of}.csv" if dated else "people.csv"
    wrong, right = make_place(), make_place()
    for place, is_right in ((wrong, False), (right, True)):
        lines = "".join(line(record, is_right=is_right) + "\n" for record in found)
        place.write(path.replace("{as_of}", str(DAY)), HEADER + lines)
        place.land(place.contract(**facts), path=path, accept=True)

    mapping: dict[str, str] = {}
    for step in steps:
        mapping[step] = FIXED[step]
        sources = wrong.sources(path=path, columns=mapping)
        replay(wrong.contract(**facts), sources, wrong.settings, wrong.run(), DAY)
    assert rows_of(wrong) == rows_of(right)
    for manifest in landed(wrong):
        assert manifest.rows_read == manifest.rows_loaded + manifest.rows_quarantined + manifest.rows_duplicate
    sources = wrong.sources(path=path, columns=mapping)
    assert replay(wrong.contract(**facts), sources, wrong.settings, wrong.run(), DAY) is None


def test_repaired_rows_of_a_file_without_a_day_land_only_on_the_days_of_their_window(make_place: Any) -> None:
    """Every day's landing sees the bad row; after the fix only the days that would have read it may take it in."""
    place = make_place()
    place.write("people.csv", HEADER + "1,,,,!2026-01-10 12:00:00,,\n2,,,,2026-01-12 08:00:00,,\n")
    contract = place.contract(mode="append", event_time="seen_at")
    days = [date(2026, 1, 9) + timedelta(days=n) for n in range(7)]
    for day in days:
        place.land(contract, day=day)
    sources = place.sources(path="people.csv", columns={"seen_at": FIXED["seen_at"]})
    back = [day for day in days if replay(contract, sources, place.settings, place.run(day), day)]
    assert back == [date(2026, 1, 10) + timedelta(days=n) for n in range(4)], "its day and three days of lookback"


def test_many_random_days_come_back_as_if_never_wrong(make_place: Any) -> None:
    """One larger file with duplicates all over, mended in two steps."""
    chance = random.Random(5)
    names = HEADER.strip().split(",")
    found = [
        dict(zip(names, [str(chance.randrange(60)), "a@x", chance.choice(["1", "2"]), "", "", "", "gold"], strict=True))
        | {"wrong": chance.choice([None, "amount", "id"])}
        for _ in range(400)
    ]
    wrong, right = make_place(), make_place()
    for place, is_right in ((wrong, False), (right, True)):
        place.write("people.csv", HEADER + "".join(line(record, is_right=is_right) + "\n" for record in found))
        place.land(accept=True)
    for mapping in ({"amount": FIXED["amount"]}, {"amount": FIXED["amount"], "id": FIXED["id"]}):
        replay(wrong.contract(), wrong.sources(path="people.csv", columns=mapping), wrong.settings, wrong.run(), DAY)
    assert rows_of(wrong) == rows_of(right)
    assert len(rows_of(wrong)) == sum(rows_of(wrong).values())

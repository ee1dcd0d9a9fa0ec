"""The batch algebra and business days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.batches import Batch, BusinessDay, default_as_of, effective
from regulars.ledger import EFFECTIVE_BATCHES

DAY = date(2026, 1, 5)
batches = st.builds(
    Batch,
    table=st.sampled_from(["orders", "users"]),
    as_of=st.sampled_from([DAY, DAY + timedelta(days=1), DAY + timedelta(days=4)]),
    revision=st.integers(1, 5),
    scope=st.sampled_from(["full", "add"]),
    content=st.sampled_from(["a", "b"]),
)


def one_per_revision(found: list[Batch]) -> list[Batch]:
    return list({(b.table, b.as_of, b.revision): b for b in found}.values())


def test_a_full_batch_supersedes_lower_revisions_and_additions_are_united() -> None:
    first, added, second, late = (
        Batch("orders", DAY, 1, "full", "x"),
        Batch("orders", DAY, 2, "add", "x"),
        Batch("orders", DAY, 3, "full", "x"),
        Batch("orders", DAY, 4, "add", "x"),
    )
    assert effective([first]) == {first}
    assert effective([first, added]) == {first, added}
    assert effective([first, added, second]) == {second}
    assert effective([first, added, second, late]) == {second, late}


@given(st.lists(batches, max_size=12))
def test_order_and_repetition_of_batches_do_not_matter(found: list[Batch]) -> None:
    assert effective(found) == effective(reversed(found + found))


@given(st.lists(batches, max_size=12).map(one_per_revision))
def test_the_view_on_the_ledger_says_the_same(found: list[Batch]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema ops")
        connection.execute(
            "create table ops.ingestion_logs (table_name varchar, as_of date, revision bigint, scope varchar, batch_id varchar, "
            "rows_loaded bigint, status varchar)"
        )
        for batch in found:
            row = [batch.table, batch.as_of, batch.revision, batch.scope, batch.batch_id]
            connection.execute("insert into ops.ingestion_logs values (?, ?, ?, ?, ?, 1, 'loaded')", row)
            connection.execute(
                "insert into ops.ingestion_logs values (?, ?, ?, ?, ?, 1, 'failed')", [row[0], row[1], 9, "full", "x"]
            )
        rows = connection.execute(EFFECTIVE_BATCHES).fetchall()
    counting = effective(found)
    assert {row[4] for row in rows} == {batch.batch_id for batch in counting}
    for table, as_of, *_, next_as_of in rows:
        later = [batch.as_of for batch in counting if batch.table == table and batch.as_of > as_of]
        assert next_as_of == min(later, default=None)


def test_the_identifier_depends_on_every_fact() -> None:
    batch = Batch("orders", DAY, 1, "full", "x")
    others = [
        Batch("order", DAY, 1, "full", "x"),
        Batch("orders", DAY + timedelta(days=1), 1, "full", "x"),
        Batch("orders", DAY, 2, "full", "x"),
        Batch("orders", DAY, 1, "add", "x"),
        Batch("orders", DAY, 1, "full", "y"),
    ]
    assert len({batch.batch_id, *(other.batch_id for other in others)}) == 6


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("UTC", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/Santiago", date(2026, 9, 6), 23),  # clocks change at midnight: the day begins at one
        ("Asia/Kathmandu", date(2026, 2, 28), 24),
    ],
)
def test_a_business_day_lasts_as_long_as_its_zone_says(zone: str, day: date, hours: int) -> None:
    business = BusinessDay(day, ZoneInfo(zone))
    assert business.end - business.start == timedelta(hours=hours)
    assert BusinessDay(day + timedelta(days=1), ZoneInfo(zone)).start == business.end


def test_a_window_counts_whole_days_back() -> None:
    start, end = BusinessDay(DAY, ZoneInfo("Europe/Berlin")).window(3)
    assert (start, end) == (datetime(2026, 1, 1, 23), datetime(2026, 1, 5, 23))


def test_the_default_day_is_the_one_before_the_schedule_in_the_business_zone() -> None:
    scheduled = datetime.fromisoformat("2026-01-05T23:30:00+00:00")
    assert default_as_of(scheduled, ZoneInfo("UTC")) == date(2026, 1, 4)
    assert default_as_of(scheduled, ZoneInfo("Europe/Berlin")) == date(2026, 1, 5)

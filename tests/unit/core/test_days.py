"""Business days where clocks change: every moment belongs to one day, in Python and in SQL, and schedules miss none."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
import pytest
from prefect.server.schemas.schedules import CronSchedule

from regulars.batches import BusinessDay, default_as_of

TICK = timedelta(microseconds=1)
# Zone, first day and number of days around what is odd there.
ODD = [
    ("Europe/Berlin", date(2026, 3, 25), 8),
    ("Europe/Berlin", date(2026, 10, 21), 8),
    ("America/New_York", date(2026, 3, 5), 6),
    ("America/New_York", date(2026, 10, 29), 6),
    ("Australia/Lord_Howe", date(2026, 4, 2), 6),  # half an hour
    ("Australia/Lord_Howe", date(2026, 10, 1), 6),
    ("Asia/Kathmandu", date(2024, 2, 27), 4),  # +05:45
    ("Pacific/Apia", date(2011, 12, 27), 7),  # without the 30th
    ("America/Sao_Paulo", date(2018, 11, 1), 6),  # midnight is skipped
    ("America/Sao_Paulo", date(2019, 2, 14), 6),  # 23:00 comes twice
    ("America/Havana", date(2026, 10, 30), 5),  # midnight comes twice
    ("America/Nuuk", date(2026, 3, 26), 5),  # the hour before midnight is skipped
    ("Africa/Cairo", date(2026, 4, 22), 5),
    ("UTC", date(2024, 2, 27), 4),
]
HOURS = {
    ("Europe/Berlin", date(2026, 3, 29)): 23,
    ("Europe/Berlin", date(2026, 10, 25)): 25,
    ("America/New_York", date(2026, 3, 8)): 23,
    ("America/New_York", date(2026, 11, 1)): 25,
    ("Australia/Lord_Howe", date(2026, 4, 5)): 24.5,
    ("Australia/Lord_Howe", date(2026, 10, 4)): 23.5,
    ("Pacific/Apia", date(2011, 12, 30)): 0,
    ("America/Sao_Paulo", date(2018, 11, 4)): 23,
    ("America/Sao_Paulo", date(2019, 2, 16)): 25,
    ("America/Havana", date(2026, 11, 1)): 25,
    ("America/Nuuk", date(2026, 3, 28)): 23,
    ("Africa/Cairo", date(2026, 4, 24)): 23,
}


@pytest.mark.parametrize(("name", "first", "count"), ODD, ids=lambda value: str(value))
def test_days_tile_time_and_sql_puts_every_moment_into_the_same_one(name: str, first: date, count: int) -> None:
    zone = ZoneInfo(name)
    days = [BusinessDay(first + timedelta(days=n), zone) for n in range(count)]
    assert all(day.end == following.start for day, following in pairwise(days))
    moments = [
        (moment, day.as_of)
        for day in days
        for moment in [day.start, day.end - TICK, *(day.start + timedelta(minutes=15 * n) for n in range(110))]
        if day.start <= moment < day.end
    ]
    with duckdb.connect() as engine:
        engine.execute("create table moments (moment timestamp, day date)")
        engine.executemany("insert into moments values (?, ?)", moments)
        sql = f"cast(timezone('{name}', timezone('UTC', moment)) as date)"  # as the macro business_date has it
        wrong = engine.execute(f"select moment, day, {sql} from moments where day <> {sql}").fetchall()
    assert wrong == []
    for day in days:
        assert (day.end - day.start) / timedelta(hours=1) == HOURS.get((name, day.as_of), 24), day.as_of


def test_a_window_of_days_has_as_many_days_whatever_their_length() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = BusinessDay(date(2026, 3, 30), berlin).window(3)
    assert (start, end) == (datetime(2026, 3, 26, 23), datetime(2026, 3, 30, 22))
    assert BusinessDay(date(2024, 3, 1), ZoneInfo("UTC")).window(1)[0] == datetime(2024, 2, 29)


@pytest.mark.parametrize("cron", ["0 6 * * *", "30 2 * * *", "15 0 * * *", "0 0 * * *", "59 23 * * *"])
@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("Europe/Berlin", date(2026, 3, 20)),
        ("Europe/Berlin", date(2026, 10, 15)),
        ("America/New_York", date(2026, 10, 25)),
        ("Australia/Lord_Howe", date(2026, 3, 28)),
        ("Asia/Kathmandu", date(2024, 2, 20)),
        ("America/Sao_Paulo", date(2018, 10, 28)),
        ("America/Sao_Paulo", date(2019, 2, 10)),
        ("Pacific/Apia", date(2011, 12, 23)),
    ],
    ids=lambda value: str(value),
)
def test_a_daily_schedule_names_every_day_in_order_and_a_second_firing_names_the_same(
    name: str, start: date, cron: str
) -> None:
    """Prefect's own schedule: where it fires twice in a night the day is the same, and no day is left out.

    But Prefect leaves a firing out whose local time the clocks skip just after midnight: 06:00 exists everywhere.
    """
    zone = ZoneInfo(name)
    begin = datetime(start.year, start.month, start.day, tzinfo=zone)
    fired = asyncio.run(CronSchedule(cron=cron, timezone=name).get_dates(n=20, start=begin))
    days = [default_as_of(moment, zone) for moment in fired]
    assert days == sorted(days)
    real = [
        day
        for n in range((days[-1] - days[0]).days + 1)
        if BusinessDay(day := days[0] + timedelta(days=n), zone).start < BusinessDay(day, zone).end
    ]
    minute, hour = (int(part) for part in cron.split()[:2])
    left_out = set(real) - set(days)
    assert set(days) <= set(real)
    assert all(is_skipped(day + timedelta(days=1), hour, minute, zone) for day in left_out), left_out
    assert not left_out or hour == 0


def is_skipped(day: date, hour: int, minute: int, zone: ZoneInfo) -> bool:
    """Whether clocks of the zone never show that time on that day."""
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
    return local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None)


def test_two_runs_around_midnight_stand_for_two_days_only_where_it_is_midnight() -> None:
    before, after = (datetime(2026, 1, 5, 22, 59, 59, tzinfo=UTC), datetime(2026, 1, 5, 23, tzinfo=UTC))
    for name, expected in {
        "Europe/Berlin": (date(2026, 1, 4), date(2026, 1, 5)),
        "UTC": (date(2026, 1, 4), date(2026, 1, 4)),
        "Asia/Kathmandu": (date(2026, 1, 5), date(2026, 1, 5)),
        "America/New_York": (date(2026, 1, 4), date(2026, 1, 4)),
    }.items():
        assert (default_as_of(before, ZoneInfo(name)), default_as_of(after, ZoneInfo(name))) == expected, name

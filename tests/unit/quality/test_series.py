"""Judging series: strictly by the past, without what was flagged, and on the Numenta benchmark."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.quality.series import RELEARN_AFTER, judge_series

numbers = st.floats(-1e6, 1e6, allow_nan=False)


def flagged(values: list[float], slots: list[int] | None = None) -> list[int]:
    verdicts = judge_series(values, slots or [0] * len(values))
    return [place for place, verdict in enumerate(verdicts) if verdict.is_flagged]


@given(st.lists(numbers, max_size=60), st.lists(numbers, max_size=10))
def test_no_verdict_depends_on_what_comes_later(past: list[float], future: list[float]) -> None:
    slots = [n % 3 for n in range(len(past) + len(future))]
    assert judge_series(past + future, slots)[: len(past)] == judge_series(past, slots[: len(past)])


def test_a_flagged_day_does_not_hide_the_next() -> None:
    usual = [100.0, 102.0, 98.0, 101.0, 99.0, 100.0, 103.0, 97.0]
    assert flagged([*usual, 1000.0, 101.0, 990.0]) == [8, 10]


def test_days_are_compared_within_their_weekday() -> None:
    week = [100.0] * 5 + [10.0, 0.0]
    values = week * 6
    assert flagged(values, [n % 7 for n in range(len(values))]) == []
    values[-1] = 100.0  # a usual Monday's total, on a Sunday
    assert flagged(values, [n % 7 for n in range(len(values))]) == [41]


def test_a_new_level_is_learned_after_some_points() -> None:
    values = [100.0] * 8 + [200.0] * 8
    assert flagged(values) == [8 + n for n in range(RELEARN_AFTER)]


def test_too_little_history_is_said() -> None:
    verdicts = judge_series([1.0, 2.0, 300.0, 4.0, 5.0], [0] * 5)
    assert [verdict.is_judged for verdict in verdicts] == [False] * 4 + [True]
    assert verdicts[0].expected is None and verdicts[0].score is None


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["flatmiddle", "jumpsdown", "jumpsup", "nojump"])
def test_the_labelled_day_of_numenta_is_found(datasets: Path, name: str) -> None:
    key = f"artificialWithAnomaly/art_daily_{name}.csv"
    found, windows = numenta(datasets, key)
    [(start, end)] = windows
    inside = [moment for moment in found if start <= moment <= end]
    assert inside
    assert len(found) - len(inside) <= 90, "of 2,880 points that were judged"


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["daily_no_noise", "daily_perfect_square_wave", "daily_small_noise", "flatline"])
def test_nothing_is_found_where_nothing_is(datasets: Path, name: str) -> None:
    assert numenta(datasets, f"artificialNoAnomaly/art_{name}.csv")[0] == []


@pytest.mark.real_data
def test_noise_is_flagged_seldom(datasets: Path) -> None:
    assert len(numenta(datasets, "artificialNoAnomaly/art_noisy.csv")[0]) <= 10, "of 2,880 points that were judged"


def numenta(datasets: Path, key: str) -> tuple[list[datetime], list[tuple[datetime, ...]]]:
    """Moments that are flagged with the time of day as season, and the labelled windows."""
    with open(datasets / "nab" / key) as file:
        rows = list(csv.DictReader(file))
    moments = [datetime.fromisoformat(row["timestamp"]) for row in rows]
    verdicts = judge_series([float(row["value"]) for row in rows], [(at.hour, at.minute) for at in moments])
    labels = json.loads((datasets / "nab" / "combined_windows.json").read_text())
    windows = [tuple(datetime.fromisoformat(edge) for edge in window) for window in labels.get(key, [])]
    return [at for at, verdict in zip(moments, verdicts, strict=True) if verdict.is_flagged], windows

"""Work that is done twice because of a kill at 90 % of a day: data time of killed run and rerun against a clean run."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from chaos.fault import Bench
from chaos.tripwire import replace_call
from chaos.world import LIMIT_SECONDS, World

SHARE = 0.9
TARGET = 1.1


@dataclass(frozen=True)
class LateKill:
    """Seconds, and `ratio` = (killed + rerun) / clean, in data time and in wall time of a warm process."""

    users: int
    trials: int
    clean_data: float
    clean_wall: float
    data_ratios: tuple[float, ...]
    wall_ratios: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.data_ratios)


def measure(bench: Bench, users: int, trials: int) -> LateKill:
    """`trials` kills at 90 % of the wall time of a day; data time is the union of the times of `data_calls`."""
    world = bench.world("second-day")
    clean = sorted(_timed(world, None) for _ in range(3))[1]
    data, wall = [], []
    for _ in range(trials):
        world.restore()
        killed = _timed(world, SHARE * clean[1], restore=False)
        again = _timed(world, None, restore=False)
        data.append((killed[0] + again[0]) / clean[0])
        wall.append((killed[1] + again[1]) / clean[1])
    return LateKill(users, trials, *clean, tuple(data), tuple(wall))


def _timed(world: World, kill_after: float | None, *, restore: bool = True) -> tuple[float, float]:
    """(data seconds, wall seconds) of one run, to its end or to its kill."""
    if restore:
        world.restore()
    marks = world.folder / "marks.txt"
    marks.unlink(missing_ok=True)
    child = world.spawn(before=lambda: _mark_calls(world.pipeline.data_calls, marks))
    if not child.wait(LIMIT_SECONDS if kill_after is None else kill_after):
        child.kill_group()
    elif child.status != 0:
        raise RuntimeError(f"a timed run ended with {child.status}:\n{child.said(40)}")
    return _covered(marks, time.monotonic()), child.ended_after


def _mark_calls(calls: tuple[str, ...], marks: Path) -> None:
    """Write one line at the start and at the end of every call, with the clock; a kill leaves what was written."""
    file = os.open(marks, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    count = iter(range(1 << 62))

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def marked(*arguments: Any, **named: Any) -> Any:
            name = f"{threading.get_ident()}-{next(count)}"
            os.write(file, f"{name} start {time.monotonic()}\n".encode())
            try:
                return original(*arguments, **named)
            finally:
                os.write(file, f"{name} end {time.monotonic()}\n".encode())

        return marked

    for call in calls:
        replace_call(call, wrap)


def _covered(marks: Path, now: float) -> float:
    """Seconds in which at least one call was under way; a call without an end was cut off at `now`."""
    starts, ends = dict[str, float](), dict[str, float]()
    for line in marks.read_text().splitlines():
        name, kind, moment = line.split()
        (starts if kind == "start" else ends)[name] = float(moment)
    total, reached = 0.0, 0.0
    for start, end in sorted((start, ends.get(name, now)) for name, start in starts.items()):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total

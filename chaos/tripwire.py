"""A kill at a named call: the harness wraps the call from outside, in the process that is to die."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal

Moment = Literal["before", "after"]


@dataclass(frozen=True)
class CommitPoint:
    """A call after which something is committed. `argument`: only calls of which an argument, as text, ends with it.

    `every`: each of its calls is hit, else the first, the last and one between.
    """

    name: str
    call: str
    argument: str = ""
    scenarios: tuple[str, ...] = ("second-day",)
    every: bool = False


def kill_at(point: CommitPoint, moment: Moment, number: int) -> None:
    """Let this process group die right before, or right after, the `number`-th call (from 1) of the point."""

    def reached(count: int, when: Moment) -> None:
        if (count, when) == (number, moment):
            os.killpg(0, signal.SIGKILL)

    watch(point, reached)


def count_calls(points: Sequence[CommitPoint], target: Path) -> Callable[[], None]:
    """Count the calls of every point; the function that is returned writes them to `target` as JSON."""
    counts = {point.name: 0 for point in points}
    for point in points:

        def reached(count: int, when: Moment, name: str = point.name) -> None:
            counts[name] = max(counts[name], count)

        watch(point, reached)
    return lambda: void(target.write_text(json.dumps(counts)))


def watch(point: CommitPoint, reached: Callable[[int, Moment], None]) -> None:
    """Have `reached` called before and after each call of the point in this process."""
    calls, lock = 0, threading.Lock()

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def watched(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            if not any(str(one).endswith(point.argument) for one in (*arguments, *named.values(), "")):
                return original(*arguments, **named)
            with lock:
                calls += 1
                mine = calls
            reached(mine, "before")
            result = original(*arguments, **named)
            reached(mine, "after")
            return result

        return watched

    replace_call(point.call, wrap)


def replace_call(call: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replace `module.function` or `module.Class.method` by what `wrap` makes of it, wherever it was imported to."""
    parts = call.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:cut]))
            break
        except ModuleNotFoundError:
            continue
    for name in parts[cut:-1]:
        owner = getattr(owner, name)
    original = getattr(owner, parts[-1])
    replacement: Any = wrap(original)
    if inspect.isclass(owner):
        is_static = isinstance(inspect.getattr_static(owner, parts[-1]), staticmethod)
        setattr(owner, parts[-1], staticmethod(replacement) if is_static else replacement)
        return
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is original:
                setattr(module, name, replacement)


def void(_: object) -> None:
    """Drop a result."""

"""Two to eight runs at the same time in one home: of one day, or of different days."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from chaos.fault import Bench, Fault
from chaos.world import LIMIT_SECONDS, World

KIND = "at-once"


def plan(bench: Bench, count: int) -> Iterator[Fault]:
    """Six of 200, of one day and of two days in turn; each has to wait for those before it, and all have to succeed."""
    for number in range(max(1, count * 6 // 200)):
        runs = bench.rng(KIND, number).randint(2, 8)
        mixed = number % 2 == 1
        what = f"{runs} runs at once of {'two days' if mixed else 'one day'}"
        yield Fault(KIND, number, "two-days" if mixed else "second-day", what, _start(runs), out_of_order=mixed)


def _start(runs: int) -> Callable[[World], bool]:
    def inject(world: World) -> bool:
        children = [world.spawn(day=world.days[number % len(world.days)]) for number in range(runs)]
        deadline = time.monotonic() + runs * LIMIT_SECONDS / 2
        ended = [child.wait(max(0.0, deadline - time.monotonic())) for child in children]
        for child in children:
            child.kill_group()
        if not all(ended):
            raise RuntimeError(f"{ended.count(False)} of {runs} runs did not end")
        if any(child.status for child in children):
            raise RuntimeError(f"runs ended with {[child.status for child in children]}:\n{children[0].said(30)}")
        return True

    return inject

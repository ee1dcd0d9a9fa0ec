"""SIGKILL at every named commit point of the pipeline, right before and right after."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

from chaos.fault import Bench, Fault, NotInjected
from chaos.tripwire import CommitPoint, Moment, kill_at
from chaos.world import LIMIT_SECONDS, World

KIND = "commit-points"
MOMENTS: tuple[Moment, ...] = ("before", "after")


def plan(bench: Bench, count: int) -> Iterator[Fault]:
    """All of them where `count` is 200 or more, else `count` chosen by the seed; numbers are those of the full list."""
    found = list(_all(bench))
    chosen = set(range(len(found)))
    if count < 200:
        chosen = set(bench.rng(KIND, -1).sample(range(len(found)), min(count, len(found))))
    for number, (point, scenario, moment, nth) in enumerate(found):
        if number in chosen:
            what = f"SIGKILL {moment} call {nth} of: {point.name}"
            yield Fault(KIND, number, scenario, what, _kill(point, moment, nth))


def _all(bench: Bench) -> Iterator[tuple[CommitPoint, str, Moment, int]]:
    for point in bench.pipeline.commit_points:
        for scenario in point.scenarios:
            calls = bench.world(scenario).expected.calls[point.name]
            if not calls:
                raise RuntimeError(
                    f"commit point {point.name!r} is never reached in {scenario}: {point.call} has moved"
                )
            between = bench.rng(f"{KIND}/{point.name}/{scenario}", 0).randint(1, calls)
            for nth in range(1, calls + 1) if point.every else sorted({1, between, calls}):
                for moment in MOMENTS:
                    yield point, scenario, moment, nth


def _kill(point: CommitPoint, moment: Moment, nth: int) -> Callable[[World], bool]:
    def inject(world: World) -> bool:
        child = world.spawn(before=lambda: kill_at(point, moment, nth))
        if not child.wait(LIMIT_SECONDS):
            child.kill_group()
            raise RuntimeError(f"the run hung before its commit point:\n{child.said()}")
        if child.status == 0:
            raise NotInjected("that call did not come in this run")
        if child.status != -signal.SIGKILL:
            raise RuntimeError(f"the run ended with {child.status} before its commit point:\n{child.said(40)}")
        return False

    return inject

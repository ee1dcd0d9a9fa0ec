"""SIGKILL of the whole process group at a uniformly random moment of the stages, without Prefect."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chaos.fault import Bench, Fault, NotInjected
from chaos.world import World

KIND = "kill-stages"
ATTEMPTS = 3


def plan(bench: Bench, count: int) -> Iterator[Fault]:
    """`count` kills; one in five on the very first day of a home, the others on its second."""
    for number in range(count):
        scenario = "first-day" if number % 5 == 4 else "second-day"
        share = bench.rng(KIND, number).random()
        yield Fault(KIND, number, scenario, f"SIGKILL at {share:.1%} of the run", _kill_at(share))


def _kill_at(share: float) -> Callable[[World], bool]:
    def inject(world: World) -> bool:
        seconds = world.expected.seconds
        for _ in range(ATTEMPTS):
            child = world.spawn()
            if not child.wait(share * seconds):
                child.kill_group()
                return False
            if child.status != 0:
                raise RuntimeError(f"the run failed before it was killed:\n{child.said(40)}")
            seconds = child.ended_after  # the machine has become faster since the time was taken
            world.restore()
        raise NotInjected("the run was over before")

    return inject

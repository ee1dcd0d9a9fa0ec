"""SIGKILL of the whole Prefect flow as a person starts it, with Prefect's own server, at a random moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chaos.fault import FLOW_LIMIT_SECONDS, Bench, Fault, NotInjected
from chaos.world import World
from regulars.run import code_version

KIND = "kill-flow"


def plan(bench: Bench, count: int) -> Iterator[Fault]:
    """A tenth of `count`: a flow takes its time to start."""
    whole: list[float] = []

    def inject_at(share: float) -> Callable[[World], bool]:
        def inject(world: World) -> bool:
            if code_version.__wrapped__() != code_version():
                raise NotInjected("the checkout has changed since the campaign began, and manifests name its version")
            if not whole:
                whole.append(_clean_seconds(world))
            child = world.start_flow()
            if child.wait(share * whole[0]):
                if child.status != 0:
                    raise RuntimeError(f"the flow failed before it was killed:\n{child.said(40)}")
                raise NotInjected("the flow was over before")
            child.kill_group()
            return False

        return inject

    for number in range(max(1, count // 10)):
        share = bench.rng(KIND, number).random()
        what = f"SIGKILL at {share:.1%} of the flow"
        yield Fault(KIND, number, "second-day", what, inject_at(share), whole_flow=True)


def _clean_seconds(world: World) -> float:
    """How long the flow takes from its command to its end; the world is put back afterwards."""
    child = world.start_flow()
    if not child.wait(FLOW_LIMIT_SECONDS) or child.status != 0:
        child.kill_group()
        raise RuntimeError(f"the unhurt flow ended with {child.status}:\n{child.said(40)}")
    world.restore()
    return child.ended_after

"""The PostgreSQL source breaks while it is read: the network on the way, a session, the whole server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

from chaos.fault import Bench, Fault, NotInjected
from chaos.proxy import Breakage
from chaos.services import crash, terminate_clients
from chaos.world import LIMIT_SECONDS, World

KIND = "postgres-source"
How = Literal["reset", "cut", "trickle", "terminate", "crash", "blackhole"]
HOWS: tuple[How, ...] = ("reset", "cut", "trickle", "terminate", "crash", "blackhole")
PATIENCE_SECONDS = 30.0  # nothing bounds the wait for a peer that answers TCP and says nothing: it is then killed


def plan(bench: Bench, count: int) -> Iterator[Fault]:
    """A tenth of `count`, every way in turn, after a random share of the bytes that a whole read takes."""
    for number in range(max(1, count // 10)):
        how, share = HOWS[number % len(HOWS)], bench.rng(KIND, number).random()
        yield Fault(KIND, number, "postgres", f"{how} after {share:.1%} of the bytes read", _break(how, share))


def _break(how: How, share: float) -> Callable[[World], bool]:
    def inject(world: World) -> bool:
        server = world.source.up()
        after = int(share * world.expected.bytes_down)
        action = {"terminate": partial(terminate_clients, server.uri()), "crash": partial(crash, server)}.get(how)
        breakage = Breakage("call" if action else how, after, "down", action)  # type: ignore[arg-type]
        with world.network(breakage):
            child = world.spawn()
            hung = not child.wait(PATIENCE_SECONDS + (0 if how == "blackhole" else LIMIT_SECONDS))
            if hung:
                child.kill_group()
            struck = world.network_report()["struck"]
        if not struck:
            raise NotInjected("fewer bytes were read than that")
        if hung and how != "blackhole":
            raise RuntimeError("the run did not end")
        return child.status == 0

    return inject

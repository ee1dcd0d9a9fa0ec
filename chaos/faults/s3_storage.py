"""Landings and deliveries on S3 (an emulator): the network breaks or the process dies in the middle of an upload."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from chaos.fault import Bench, Fault, NotInjected
from chaos.proxy import Breakage
from chaos.world import World

KIND = "s3-storage"
HOWS = ("reset", "cut", "kill", "trickle", "blackhole")
PATIENCE_SECONDS = 420.0  # a silent storage is given up after 120 s and asked again; DuckDB asks it for its own time


def plan(bench: Bench, count: int) -> Iterator[Fault]:
    """A tenth of `count`: in turn every way, on the way up (uploads) two times out of three."""
    for number in range(max(1, count // 10)):
        how, rng = HOWS[number % len(HOWS)], bench.rng(KIND, number)
        direction = "up" if how == "kill" or rng.random() < 2 / 3 else "down"
        share = rng.random()
        what = f"{how} after {share:.1%} of the bytes {'uploaded' if direction == 'up' else 'answered'}"
        yield Fault(KIND, number, "s3", what, _break(how, direction, share))


def _break(how: str, direction: str, share: float) -> Callable[[World], bool]:
    def inject(world: World) -> bool:
        passed = world.expected.bytes_up if direction == "up" else world.expected.bytes_down
        victim = world.folder / "victim.pid"
        victim.unlink(missing_ok=True)
        action = (lambda: os.killpg(int(victim.read_text()), signal.SIGKILL)) if how == "kill" else None
        breakage = Breakage("call" if action else how, int(share * passed), direction, action)  # type: ignore[arg-type]
        with world.network(breakage):
            child = world.spawn(before=lambda: _write_pid(victim))
            hung = not child.wait(PATIENCE_SECONDS)
            if hung:
                child.kill_group()
            struck = world.network_report()["struck"]
        if not struck:
            raise NotInjected("fewer bytes passed than that")
        if hung:
            raise RuntimeError(f"the run still waits {PATIENCE_SECONDS:.0f} s after the storage fell silent")
        return child.status == 0

    return inject


def _write_pid(path: Path) -> None:
    path.write_text(str(os.getpid()))

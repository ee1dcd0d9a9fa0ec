"""The N-th write, flush to disk or rename of a thread fails, by strace's injection into the running process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import count as count_up
from itertools import takewhile
from pathlib import Path

from chaos.fault import Bench, Fault, NotInjected
from chaos.processes import Child
from chaos.world import LIMIT_SECONDS, World

KIND = "failing-calls"
CALLS = {"fsync": "fsync,fdatasync", "rename": "rename,renameat,renameat2", "write": "write,pwrite64"}
ERRORS = ("EIO", "ENOSPC")
MOST_WRITES = 2000
WHOLE = 200  # the `count` of a whole campaign


def plan(bench: Bench, count: int) -> Iterator[Fault]:
    """N = 1, 2, 3 ... of flushes and renames, a fifth of `count`, and of 200 on until a run has no N-th one; of writes a sample.

    strace counts per thread. Writes are thousands: their N is drawn so that small ones come as often as large ones.
    """
    finished: set[str] = set()
    sample = max(1, count // 5)
    for number in takewhile(lambda number: number < sample or (count >= WHOLE and len(finished) < 2), count_up()):
        name, rng = list(CALLS)[number % 3], bench.rng(KIND, number)
        if name == "write" and number >= sample:
            continue
        nth = round(MOST_WRITES ** rng.random()) if name == "write" else 1 + number // 3
        error = rng.choice(ERRORS)
        what = f"{name} number {nth} of each thread fails with {error}"
        yield Fault(KIND, number, "second-day", what, _fail(name, nth, error, finished))


def _fail(name: str, nth: int, error: str, finished: set[str]) -> Callable[[World], bool]:
    def inject(world: World) -> bool:
        if name in finished:
            raise NotInjected(f"an earlier run came through: no thread makes that many calls of {name}")
        if not shutil.which("strace"):
            raise NotInjected("strace is not installed")
        child = world.spawn(before=_stop_here)
        _wait_until_stopped(child)
        trace = world.folder / "strace.log"
        tracer = _attach(child, CALLS[name], error, nth, trace)
        os.kill(child.pid, signal.SIGCONT)
        ended = child.wait(2 * LIMIT_SECONDS)
        if not ended:
            child.kill_group()
        tracer.wait(30)
        if not ended:
            raise RuntimeError("the run hung after a call failed")
        if "(INJECTED)" not in trace.read_text(errors="replace"):
            if name != "write":
                finished.add(name)
            raise NotInjected("clean pass: no thread made that many calls")
        return child.status == 0

    return inject


def _stop_here() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _wait_until_stopped(child: Child) -> None:
    stat = Path(f"/proc/{child.pid}/stat")
    while stat.read_text().rsplit(")", 1)[1].split()[0] != "T":
        time.sleep(0.002)


def _attach(child: Child, calls: str, error: str, nth: int, trace: Path) -> subprocess.Popen[bytes]:
    told = trace.with_suffix(".said")
    command = ["strace", "-f", "-q", "-p", str(child.pid), "-o", str(trace), "-e", f"trace={calls}"]
    with open(told, "wb") as said:
        tracer = subprocess.Popen([*command, "-e", f"inject={calls}:error={error}:when={nth}"], stderr=said)
    status = Path(f"/proc/{child.pid}/status")
    deadline = time.monotonic() + 10
    while "TracerPid:\t0\n" in status.read_text():
        if tracer.poll() is not None or time.monotonic() > deadline:
            child.kill_group()
            raise NotInjected(f"strace cannot attach here: {told.read_text()[:200]}")
        time.sleep(0.005)
    time.sleep(0.05)
    return tracer

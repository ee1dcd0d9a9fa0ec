"""Processes of a trial: forks of one warm process, each in a session of its own, so that a kill takes all of it.

The harness is the subreaper of everything below it: a process that outlives its parent becomes the harness's child,
where `strays` finds it.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

PR_SET_CHILD_SUBREAPER = 36
TICK = 0.005
FORKS_WELL = "jemalloc_bg_thd"  # jemalloc stops its thread before a fork and starts it again after


@dataclass
class Child:
    """A running process and its group; `ended_after` counts seconds from its start."""

    pid: int
    log: Path
    started: float = field(default_factory=time.monotonic)
    status: int | None = None
    ended_after: float = 0.0

    def wait(self, timeout: float) -> bool:
        """Whether it ended within `timeout` seconds; `status` is then its exit status, or minus the signal."""
        deadline = time.monotonic() + timeout
        while self.status is None:
            pid, raw = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(raw)
                self.ended_after = time.monotonic() - self.started
            elif time.monotonic() >= deadline:
                return False
            else:
                time.sleep(TICK)
        return True

    def kill_group(self) -> None:
        """SIGKILL to the whole process group, as a machine that goes down would; returns when it is gone."""
        if self.status is None:
            _send_kill(self.pid)
            self.wait(30)

    def said(self, lines: int = 15) -> str:
        """The end of what it printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


def become_subreaper() -> None:
    """Let processes whose parent dies become children of this one."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def fork(work: Callable[[], Any], log: Path) -> Child:
    """Run `work` in a fork with a session of its own and its output in `log`; exit status 0, or 1 where it raises.

    Raises RuntimeError where this process has threads: a fork would copy their locks, and hang.
    """

    def apart() -> None:
        os.setsid()
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        work()

    return _forked(apart, log)


def _forked(work: Callable[[], Any], log: Path) -> Child:
    threads = [task for path in Path("/proc/self/task").iterdir() if (task := (path / "comm").read_text().strip())]
    if len(threads) - threads.count(FORKS_WELL) > 1:
        raise RuntimeError(f"this process has threads and cannot be forked safely: {', '.join(threads)}")
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Child(pid, log)
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def fork_job(work: Callable[[], Any], answer: Path) -> Child:
    """Run `work` in a fork that shares our terminal; what it returns is in `answer` when it ends with status 0."""
    return _forked(lambda: answer.write_bytes(pickle.dumps(work())), answer)


def start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
    """Run a program in a session of its own."""
    with open(log, "ab") as output:
        started = subprocess.Popen(
            list(command),
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    started.returncode = 0  # it is waited for by `Child`, not by subprocess
    return Child(started.pid, log)


def call(work: Callable[[], Any], log: Path, timeout: float = 600) -> Any:
    """What `work` returns, computed in a fork: this process never opens a database itself."""
    answer = log.with_suffix(".answer")
    answer.unlink(missing_ok=True)

    def answered() -> None:
        answer.write_bytes(pickle.dumps(work()))

    child = fork(answered, log)
    if not child.wait(timeout):
        child.kill_group()
        raise RuntimeError(f"no answer within {timeout:.0f} s:\n{child.said()}")
    if child.status != 0:
        raise RuntimeError(f"it ended with {child.status}:\n{child.said()}")
    return pickle.loads(answer.read_bytes())


def strays(known: set[int], patience: float = 2.0) -> list[str]:
    """Processes below this one that are none of `known` (nor below one of them); what is only ending is waited for."""
    deadline = time.monotonic() + patience
    while True:
        _reap()
        found = [process for process in psutil.Process().children(recursive=True) if not _belongs(process, known)]
        if not found or time.monotonic() > deadline:
            return [_describe(process) for process in found]
        time.sleep(0.05)


def end_strays(known: set[int]) -> None:
    """Kill what `strays` finds, so that one fault does not spoil the next."""
    for process in psutil.Process().children(recursive=True):
        if not _belongs(process, known):
            process.kill()
    _reap()


def _belongs(process: Any, known: set[int]) -> bool:
    try:
        return process.pid in known or any(parent.pid in known for parent in process.parents())
    except psutil.NoSuchProcess:
        return True


def _describe(process: Any) -> str:
    try:
        return f"process {process.pid} ({process.status()}): {' '.join(process.cmdline())[:120] or process.name()}"
    except psutil.NoSuchProcess:
        return f"process {process.pid}"


def _reap() -> None:
    """Collect adopted processes that have ended; own children are collected by `Child.wait` before."""
    for process in psutil.Process().children():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)
        except (psutil.NoSuchProcess, ChildProcessError):
            continue


def _send_kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return

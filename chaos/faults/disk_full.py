"""No space left for the whole home, for landings or for deliveries: a tmpfs that is a little too small."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from chaos.fault import Bench, Fault, NotInjected
from chaos.world import LIMIT_SECONDS, World, disk_bytes

KIND = "disk-full"
PLACES = ("", "landing", "deliveries")  # "" is the home: warehouse, published copy, spool and everything else
CLONE_NEWNS = 0x00020000
LARGE = 1 << 30


def plan(bench: Bench, count: int) -> Iterator[Fault]:
    """Fifteen of 200: each place in turn, with a random share of the space that the run needs beyond what is there."""
    for number in range(max(1, count * 15 // 200)):
        place, share = PLACES[number % len(PLACES)], bench.rng(KIND, number).random()
        what = f"{place or 'home'} has {share:.1%} of the space that the run takes"
        yield Fault(KIND, number, "second-day", what, _fill(place, share))


def _fill(place: str, share: float) -> Callable[[World], bool]:
    def inject(world: World) -> bool:
        if not own_mounts():
            raise NotInjected("mounting a small file system needs root here")
        before, after = world.expected.disk[place]
        size = before + int(share * max(after - before, 1 << 16)) + (64 << 10)
        folder = world.home / place
        mount(folder, size)
        world.undo.callback(unmount, folder)
        child = world.spawn()
        if not child.wait(LIMIT_SECONDS):
            child.kill_group()
            raise RuntimeError("the run hung on a full disk")
        _run("mount", "-o", f"remount,size={LARGE}", str(folder))
        return child.status == 0

    return inject


def mount(folder: Path, size: int) -> None:
    """Put a tmpfs of `size` bytes in place of a folder, with the folder's content."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f"{folder.name}.aside")
    folder.rename(aside)
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={LARGE}", "chaos", str(folder))
    shutil.copytree(aside, folder, dirs_exist_ok=True)
    shutil.rmtree(aside)
    _run("mount", "-o", f"remount,size={max(size, disk_bytes(folder) + (64 << 10))}", str(folder))


def unmount(folder: Path) -> None:
    _run("umount", "--lazy", str(folder))


@cache
def own_mounts() -> bool:
    """Give this process mounts of its own, which vanish with it; False where that is not allowed."""
    if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        return False
    return subprocess.run(["mount", "--make-rprivate", "/"], check=False, capture_output=True).returncode == 0


def _run(*command: str) -> None:
    subprocess.run(list(command), check=True, capture_output=True)

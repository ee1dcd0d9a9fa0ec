"""Private folders for files under way, gone when their work ends; what a killed run left is cleared by later ones."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from regulars.settings import Settings


@contextmanager
def open_spool(settings: Settings) -> Iterator[Path]:
    """A new empty folder in `<home>/spool`, readable by us alone, on the file system where landings lie by default."""
    clear_spool(settings)
    folder = _root(settings) / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_spool(settings: Settings) -> None:
    """Remove what processes left there that run no more."""
    root = _root(settings)
    for left in root.iterdir() if root.exists() else ():
        owner = left.name.split("-", 1)[0]
        if not (owner.isdigit() and _is_running(int(owner))):
            shutil.rmtree(left, ignore_errors=True)


def _root(settings: Settings) -> Path:
    return settings.home_dir / "spool"


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

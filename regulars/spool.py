"""A private folder for the files of one landing, gone when it ends; what a killed run left is cleared by later ones."""

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
    """A new empty folder in `<home>/spool`, on the file system where landings lie by default."""
    root = settings.home_dir / "spool"
    root.mkdir(parents=True, exist_ok=True)
    for left in root.iterdir():
        owner = left.name.split("-", 1)[0]
        if owner.isdigit() and not _is_running(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    folder = root / f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

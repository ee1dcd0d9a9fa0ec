"""Identity of one run, passed down so that nothing below a flow asks the clock."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from regulars import __version__
from regulars.settings import PROJECT_DIR


@dataclass(frozen=True)
class Run:
    """`started_at` is UTC without zone; `as_of` the business date asked for."""

    run_id: str
    flow: str
    as_of: date
    started_at: datetime


@lru_cache(maxsize=1)
def code_version() -> str:
    """Version of the library and, in a git checkout, the commit (with `+` for uncommitted changes)."""
    try:
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
            cwd=PROJECT_DIR, capture_output=True, text=True, timeout=10, check=True,
        ).stdout.strip()  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return __version__
    return f"{__version__} {commit}"

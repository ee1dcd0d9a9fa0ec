"""What a check of an installation finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `remedy` is what to do where it is not fine, for SQL the statement itself."""

    what: str
    is_fine: bool
    remedy: str = ""

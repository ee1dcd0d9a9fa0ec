"""What the oracle can find wrong: the name of the check, and what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Check = Literal["tables", "records", "balance", "ledger", "published", "files", "locks", "processes", "rerun", "run"]
WRONG_TABLES: tuple[Check, ...] = ("tables", "records", "balance", "ledger", "published", "rerun", "run")


@dataclass(frozen=True)
class Finding:
    """What is wrong, and which check saw it."""

    check: Check
    text: str

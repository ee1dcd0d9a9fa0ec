"""A planted fault: what it is, where it stands, and what must catch it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

Kind = Literal[
    "bad_row", "duplicate", "versions", "unknown_region", "unknown_user", "formula", "encoding", "malformed",
    "vanished", "returned", "late", "revised", "shrunken",
]  # fmt: skip
Origin = Literal["postgres", "files"]


@dataclass(frozen=True)
class Planted:
    """One fault. `day` is its business date, `settled_on` the first day after whose run it can be judged.

    `locator` is a (column, value) that only the faulty record (of its table and day) has. `rule` and `column` say what
    must quarantine a bad row. `origins` lists the kinds of source that can hold the fault. `expect` has what the check
    of the kind needs besides: see docs/sample-data.md.
    """

    id: str
    kind: Kind
    day: date
    settled_on: date
    table: str
    locator: tuple[str, str]
    description: str
    rule: str | None = None
    column: str | None = None
    origins: tuple[Origin, ...] = ("postgres", "files")
    expect: dict[str, Any] = field(default_factory=dict)


def write_planted(path: Path, planted: Iterable[Planted]) -> None:
    """Write the faults as a JSON list, one object for each."""
    path.write_text(json.dumps([asdict(fault) for fault in planted], indent=2, default=str) + "\n")


def read_planted(path: Path) -> list[Planted]:
    """The faults of a `planted.json`."""
    return [
        Planted(
            **{
                **entry,
                "day": date.fromisoformat(entry["day"]),
                "settled_on": date.fromisoformat(entry["settled_on"]),
                "locator": tuple(entry["locator"]),
                "origins": tuple(entry["origins"]),
            }
        )
        for entry in json.loads(path.read_text())
    ]

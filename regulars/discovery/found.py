"""What discovery found and guessed: each guess with its reason, each open question in words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Guess(Generic[T]):
    """A value and why it was taken; `ask`: what a person has to decide, where the data cannot tell."""

    value: T
    why: str = ""
    ask: str = ""


@dataclass(frozen=True)
class Shelf:
    """A table before anyone looked into it. `entry`: its fields in sources.yml. `samples`: entries to look at instead, with
    their day, of a table in dated files; `of` says how many there are, `is_all` that they are all. `key`: what the database
    declares as the key."""

    table: str
    entry: dict[str, Any]
    samples: tuple[tuple[dict[str, Any], date | None], ...]
    of: str
    key: tuple[str, ...] = ()
    is_all: bool = True

    def with_table(self, table: str) -> Shelf:
        return replace(self, table=table)


@dataclass(frozen=True)
class ColumnFound:
    """One column: how the source calls it, how the contract does, and what it seems to be."""

    source_name: str
    name: str
    data_type: Guess[str]
    required: Guess[bool]
    enum: Guess[tuple[str, ...]] = Guess(())
    least: Guess[int | None] = Guess(None)
    pii: Guess[str | None] = Guess(None)
    expression: str | None = None
    distinct: int = 0
    filled: int = 0


@dataclass(frozen=True)
class TableFound:
    """One table with everything that is drafted of it; `rows` were looked at, `of` what there is."""

    shelf: Shelf
    rows: int
    columns: tuple[ColumnFound, ...]
    key: Guess[tuple[str, ...]]
    mode: Guess[str]
    event_time: Guess[str | None]
    read: dict[str, Any] = field(default_factory=dict)
    read_why: tuple[str, ...] = ()

    @property
    def questions(self) -> int:
        """Open questions, without the three that every draft asks (what a row is, who owns it)."""
        asks = [self.key.ask, self.mode.ask, self.event_time.ask]
        asks += [part.ask for column in self.columns for part in (column.data_type, column.pii)]
        return sum(bool(ask) for ask in asks)

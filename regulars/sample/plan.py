"""What a plan of faults changes in the rows of a day, and the names of the users that it may touch."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from regulars.sample.draws import sample_engine
from regulars.sample.planted import Kind, Planted
from regulars.sample.records import Record
from regulars.sample.spec import RESERVED, SampleSpec, user_name
from regulars.sample.users import user_profile

LAST_FAULT = 4  # index of the day on which the last fault is planted


@dataclass
class Edit:
    """Changes to one table's rows of one day.

    Profiles of `removes` are left out, `adds` are appended in order, `tail` is appended to CSV files as it is.
    """

    removes: set[str] = field(default_factory=set)
    adds: list[Record] = field(default_factory=list)
    tail: list[bytes] = field(default_factory=list)


class Plan:
    """Faults and edits of one sample; days are given by index.

    Plans reach as far as the last fault, so that no row of a day depends on how many days a sample has.
    """

    def __init__(self, spec: SampleSpec) -> None:
        self.spec = spec
        self.planted: list[Planted] = []
        self.edits: dict[tuple[str, int], Edit] = {}
        self.corrections: dict[tuple[str, int], dict[str, Record]] = {}
        self._profiles: dict[str, Record] = {}
        self.days = max(spec.days, LAST_FAULT + 1)
        self._next_user = spec.users - RESERVED + 1

    def day(self, index: int) -> date:
        return self.spec.day_at(index)

    def user(self) -> str:
        """A reserved user that no other fault has."""
        if self._next_user > self.spec.users:
            raise AssertionError("more faults than reserved users")
        self._next_user += 1
        return user_name(self._next_user - 1)

    def profile(self, user: str, **changed: str | None) -> Record:
        """The profile of a reserved user, which stays the same until a plan changes it, with changes."""
        if not self._profiles:
            engine = sample_engine(threads=1)
            found = engine.execute(user_profile(self.spec, 0, first=self.spec.users - RESERVED + 1))
            names = [column[0] for column in found.description]
            self._profiles = {row[0]: dict(zip(names, row, strict=True)) for row in found.fetchall()}
            engine.close()
        return {**self._profiles[user], **changed}

    def edit(self, table: str, index: int) -> Edit:
        return self.edits.setdefault((table, index), Edit())

    def add(self, table: str, index: int, *records: Record) -> None:
        self.edit(table, index).adds.extend(records)

    def replace_profile(self, index: int, user: str, *records: Record) -> None:
        """Deliver `records` (none: nothing) in place of the user's row."""
        edit = self.edit("user_profile", index)
        edit.removes.add(user)
        edit.adds.extend(records)

    def record(
        self, kind: Kind, index: int, table: str, locator: tuple[str, str], description: str,
        *, settled: int | None = None, **more: Any,
    ) -> None:  # fmt: skip
        """Note a fault; its id counts the faults of its kind."""
        number = 1 + sum(fault.kind == kind for fault in self.planted)
        settled_on = self.day(index if settled is None else settled)
        self.planted.append(
            Planted(f"{kind}-{number:02d}", kind, self.day(index), settled_on, table, locator, description, **more)
        )

"""Privileges as values: the statement that grants one, and how SHOW GRANTS names it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from regulars.account.sql_text import Sql, name, word

Ask = Callable[[str], list[dict[str, Any]]]  # runs a statement; rows by column name in lower case

PART = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')
PLACEHOLDER = re.compile(r"\.?<\w+>$")


@dataclass(frozen=True)
class Grant:
    """`privilege` on an object (`kind`, `place`) for a role; `future`: on all of that kind that come to be in `place`.

    A role for a role is USAGE on it, as SHOW GRANTS says.
    """

    privilege: str
    kind: str
    place: tuple[str, ...]
    role: str
    future: bool = False

    @property
    def sql(self) -> Sql:
        """The statement that grants it; granting twice changes nothing."""
        if self.kind == "ROLE":
            return Sql(f"grant role {name(*self.place)} to role {name(self.role)}")
        privilege, kind = word(self.privilege).lower(), word(self.kind).lower()
        if self.future:
            container = "database" if len(self.place) == 1 else "schema"
            where = f"future {kind}s in {container} {name(*self.place)}"
        else:
            where = f"{kind} {name(*self.place)}"
        # Snowflake refuses to change the owner of something on which others hold privileges, unless told what becomes of them.
        keeping = " copy current grants" if self.privilege == "OWNERSHIP" and not self.future else ""
        return Sql(f"grant {privilege} on {where} to role {name(self.role)}{keeping}")

    @property
    def key(self) -> tuple[bool, str, tuple[str, ...], str]:
        return self.future, self.kind.upper(), tuple(part.upper() for part in self.place), self.privilege.upper()


def granted(ask: Ask, role: str) -> set[tuple[bool, str, tuple[str, ...], str]]:
    """Keys of everything that a role holds, through other roles too. Raises ConfigError where the role is not seen."""
    held: set[tuple[bool, str, tuple[str, ...], str]] = set()
    waiting, seen = [role.upper()], set[str]()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        rows = ask(f"show grants to role {name(current)}")
        held |= {_key(row, row["granted_on"], future=False) for row in rows}
        held |= {_key(row, row["grant_on"], future=True) for row in ask(f"show future grants to role {name(current)}")}
        waiting += [split_name(row["name"])[0] for row in rows if row["granted_on"] == "ROLE"]
    return held


def missing(wanted: Iterable[Grant], held: set[tuple[bool, str, tuple[str, ...], str]]) -> list[Grant]:
    """Those of `wanted` that are not held; who owns an object holds every privilege on it."""
    return [grant for grant in wanted if grant.key not in held and (*grant.key[:3], "OWNERSHIP") not in held]


def split_name(written: str) -> tuple[str, ...]:
    """Parts of a name as Snowflake shows it: quoted only where it has to be."""
    return tuple(quoted.replace('""', '"') if quoted else plain for quoted, plain in PART.findall(written))


def _key(row: Mapping[str, Any], kind: str, *, future: bool) -> tuple[bool, str, tuple[str, ...], str]:
    written = PLACEHOLDER.sub("", row["name"]) if future else row["name"]
    return future, str(kind).replace("_", " "), split_name(written), str(row["privilege"])

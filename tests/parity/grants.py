"""Grants of an account, kept and shown; the emulator enforces none."""

from __future__ import annotations

import re

GRANT = re.compile(
    r"(?P<verb>grant|revoke) (?P<what>.+?)(?: on (?P<kind>file format|\w+) (?P<name>\S+))? (to|from) role (?P<role>\w+)",
    re.IGNORECASE,
)
SHOW_GRANTS = re.compile(r"show grants to role (\w+)", re.IGNORECASE)
granted: dict[str, dict[tuple[str, str, str], None]] = {}


def grant(verb: str, what: str, kind: str | None, name: str | None, role: str) -> None:
    """Keep or drop one, as the groups of GRANT give it."""
    key = (
        ("USAGE", "ROLE", what.split()[-1].upper())
        if kind is None
        else (what.upper(), kind.upper().replace(" ", "_"), str(name).upper())
    )
    held = granted.setdefault(role.upper(), {})
    if verb.lower() == "grant":
        held[key] = None
    else:
        held.pop(key, None)


def show_grants(role: str) -> str:
    """SHOW GRANTS TO ROLE, with those of its columns that are asked for."""
    rows = [
        f"select '{a}' as \"privilege\", '{b}' as \"granted_on\", '{c}' as \"name\""
        for a, b, c in granted.get(role.upper(), {})
    ]
    return " union all ".join(rows or ["select '' as \"privilege\", '' as \"granted_on\", '' as \"name\" where 1 = 0"])

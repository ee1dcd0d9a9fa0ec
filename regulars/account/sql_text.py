"""Pieces of SQL text that are safe to put into a statement; templates take nothing else."""

from __future__ import annotations

import re

from regulars.errors import ConfigError
from regulars.warehouse.snowflake_text import quote

KEYWORDS = re.compile(r"[A-Z][A-Z0-9_ ]*")
CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
LONGEST_NAME = 255  # of Snowflake


class Sql(str):
    """Text that was made by one of the functions below, and so is no one's input any more."""

    __slots__ = ()


def name(*parts: str) -> Sql:
    """An object's name in upper case and quotes, which is what Snowflake makes of a name without quotes."""
    for part in parts:
        if not part or len(part) > LONGEST_NAME or CONTROL.search(part):
            raise ConfigError(f"{part!r} is no name of an object", remedy="use letters, digits and underscores")
    return Sql(".".join('"' + part.upper().replace('"', '""') + '"' for part in parts))


def text(value: str) -> Sql:
    """A literal without control characters."""
    if CONTROL.search(value):
        raise ConfigError(f"{value!r} holds a control character", remedy="correct the setting")
    return Sql(quote(value))


def number(value: int) -> Sql:
    return Sql(int(value))


def word(value: str) -> Sql:
    """Keywords such as XSMALL or TIMESTAMP_NTZ."""
    if not KEYWORDS.fullmatch(value.upper()):
        raise ConfigError(f"{value!r} is no keyword", remedy="correct the setting")
    return Sql(value.upper())


def only_safe(value: object) -> Sql:
    """What templates may put into a statement. Raises TypeError for anything that was not made here."""
    if not isinstance(value, Sql):
        raise TypeError(f"a template puts {type(value).__name__} into SQL: pass it through name, text, number or word")
    return value

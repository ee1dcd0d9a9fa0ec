"""Formats of days and moments in strptime's words, as a form that text must have and the places of its digits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from regulars.errors import ConfigError
from regulars.warehouse.snowflake_text import quote

# Digits that the engine of the other readers takes for each letter.
DIGITS = {"Y": r"\d{4}", "m": r"\d{1,2}", "d": r"\d{1,2}", "H": r"[01]?\d|2[0-3]", "M": r"\d{1,2}", "S": r"\d{1,2}",
          "f": r"\d{1,6}"}  # fmt: skip
MISSING = {"H": "'00'", "M": "'00'", "S": "'00'", "f": "'000000'"}


@dataclass(frozen=True)
class Pattern:
    """`form`: regular expression of the whole text; `letters`: what its groups hold, in order."""

    form: str
    letters: str

    def digits(self, value: str, letter: str) -> str:
        """SQL of the digits of a letter, two of them, six for the fraction of a second."""
        if letter not in self.letters:
            return MISSING[letter]
        found = f"regexp_substr({value}, {quote(self.form)}, 1, 1, 'e', {self.letters.index(letter) + 1})"
        return found if letter == "Y" else f"rpad({found}, 6, '0')" if letter == "f" else f"lpad({found}, 2, '0')"


def pattern_of(written: str) -> Pattern:
    """Raises ValueError, which names the part, for a format that cannot be said in Snowflake as it is meant here."""
    form, letters = "", ""
    for part in re.findall(r"%.?|[^%]+", written):
        if part == "%%":
            form += "%"
        elif not part.startswith("%"):
            form += re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", part)
        elif part[1:] not in DIGITS or part[1:] in letters:
            raise ValueError(f"{part} cannot be said there, or stands there twice")
        else:
            form += f"({DIGITS[part[1:]]})"
            letters += part[1:]
    if not set("Ymd") <= set(letters):
        raise ValueError("year (%Y), month (%m) and day (%d) must be there, in digits")
    return Pattern(form, letters)


def check_format(place: str, written: str | None, letters: str) -> None:
    """Raise ConfigError for a format with other letters than these."""
    if written is None:
        return
    try:
        unknown = set(pattern_of(written).letters) - set(letters)
        if unknown:
            raise ValueError(f"%{min(unknown)} has no place in it")
    except ValueError as error:
        raise ConfigError(
            f"sources.yml: {place}: {written!r} with via: stage: {error}",
            remedy="give the column as an expression of Snowflake's SQL under columns, or leave via out",
        ) from None

"""Digits with separators: every way to read them, and what the other values of a column say about which is meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

GROUPS = {",": "comma_groups", ".": "point_groups", " ": "space_groups", "'": "apostrophe_groups"}
DECIMALS = {".": "decimal_point", ",": "decimal_comma"}
POINT_VOTES = ("decimal_point", "comma_groups")  # notations of people whose decimal mark is a point
COMMA_VOTES = ("decimal_comma", "point_groups")


@dataclass(frozen=True)
class Habit:
    """What a column is seen to do: distinct values whose decimal mark can only be a point, or a comma; and the
    currencies beside its numbers, as ISO 4217 codes."""

    points: int = 0
    commas: int = 0
    currencies: frozenset[str] = frozenset()

    def __add__(self, other: Habit) -> Habit:
        return Habit(self.points + other.points, self.commas + other.commas, self.currencies | other.currencies)

    @property
    def mark(self) -> str:
        return "," if self.commas > self.points else "."

    @property
    def confidence(self) -> float:
        """Chance that the next value has the usual mark: Laplace's rule of succession, 0.5 where nothing was seen."""
        return round((max(self.points, self.commas) + 1) / (self.points + self.commas + 2), 3)


def habit_of(rules: Iterable[tuple[str, int]]) -> Habit:
    """Habit of a column, from the rules by which its distinct values were read, each with how many values it read."""
    points = commas = 0
    currencies: set[str] = set()
    for rule, count in rules:
        notation, *more = rule.split("+")
        points += count * (notation in POINT_VOTES)
        commas += count * (notation in COMMA_VOTES)
        currencies |= {part.removeprefix("currency ") for part in more if part.startswith("currency ")}
    return Habit(points, commas, frozenset(currencies))


def readings(body: str) -> dict[str, str]:
    """Notation -> plain decimal digits, for every notation that allows this body (`1,234`: two, `1,23`: one).

    `body` begins with a digit or a decimal mark, ends with a digit, and has only digits and the separators between.
    """
    return dict(_readings(body))


def _readings(body: str) -> Iterator[tuple[str, str]]:
    for mark in ("", *DECIMALS):
        whole, found, fraction = body.partition(mark) if mark else (body, "", "")
        if found != mark or (mark and not fraction.isdigit()):
            continue
        separators = set(whole) - set("0123456789")
        if not separators:
            yield DECIMALS.get(mark, "plain"), f"{whole or '0'}.{fraction or '0'}"
        elif len(separators) == 1 and _is_grouped(whole, separator := separators.pop()):
            yield DECIMALS.get(mark, GROUPS[separator]), f"{whole.replace(separator, '')}.{fraction or '0'}"


def _is_grouped(whole: str, separator: str) -> bool:
    """By thousands, or the Indian way: three digits, and before them pairs (12,34,567)."""
    first, *groups = whole.split(separator)
    sizes = [len(group) for group in groups]
    western = 1 <= len(first) <= 3 and set(sizes) == {3}
    indian = 1 <= len(first) <= 2 and separator == "," and sizes[-1] == 3 and set(sizes[:-1]) == {2}
    return (western or indian) and not first.startswith("0")

"""Text of a number -> exact Decimal, with a confidence and the rule that read it; no float is made on the way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow
from functools import lru_cache
from types import MappingProxyType

from regulars.cleansing.normalise import normalise, tidy_number
from regulars.cleansing.number_words import read_number_words
from regulars.cleansing.proposals import CAP, NO_VALUE, Proposal
from regulars.cleansing.separators import Habit, habit_of, readings
from regulars.cleansing.units import AFFIX, CURRENCIES, PERCENTS, SCALES, SIGNS

LONGEST = 100  # characters; and 38 digits on each side of the point, as much as a warehouse's decimal can hold
EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])
BODY = re.compile(r"(?<![0-9])[.,]?[0-9](?:[0-9.,' ]*[0-9])?")
RANGE = re.compile(r"([^-–]*[0-9][^-–]*?) ?(?:-|–| to | bis )(?! ?-) ?(\+?[^-–]*?[0-9].*)")
SCIENTIFIC = re.compile(r"([+-]?[0-9]+)(?:[.,]([0-9]+))?e([+-]?[0-9]{1,2})", re.IGNORECASE)
AMBIGUOUS = "ambiguous_separator"
NO_HABIT = Habit()
NO_FACTORS: Mapping[str, Decimal] = MappingProxyType({})

# How sure the reader is of each thing that it meets; the least one counts.
CONFIDENCE = {
    "plain": 1.0,
    "decimal_point": 1.0,
    "decimal_comma": 0.98,
    "comma_groups": 0.99,
    "point_groups": 0.98,
    "space_groups": 0.95,
    "apostrophe_groups": 0.98,
    "negative": 0.97,
    "scale": 0.95,
    "percent": 0.97,
    "currency": 0.97,
    "unit": 1.0,
    "words": 0.97,
    "scientific": 0.8,  # a spreadsheet shows fewer digits than it has
    "range": CAP,
    "unknown_unit": CAP,
    "ambiguous_currencies": CAP,
}


def propose_numbers(
    texts: Sequence[str], factors: Mapping[str, Decimal] = NO_FACTORS, others: Habit = NO_HABIT
) -> list[Proposal[Decimal]]:
    """A proposal for each text of one column, in the order given.

    `factors` gives what a unit written beside a number multiplies it by (`{"oz": 1, "dozen": 12, "%": 1}`; keys
    normalised); it goes before the meanings that every column knows. `others` is what the column's other values show.
    """
    found = {text: read_number(text, factors) for text in set(texts)}
    seen = habit_of((proposal.rule, 1) for proposal in found.values()) + others
    for text, proposal in found.items():
        if proposal.rule.startswith(AMBIGUOUS) or "+currency " in proposal.rule:
            found[text] = read_number(text, factors, seen)
    return [found[text] for text in texts]


def read_number(text: str, factors: Mapping[str, Decimal] = NO_FACTORS, habit: Habit = NO_HABIT) -> Proposal[Decimal]:
    """One text as a number: rule names what was met, `notation+part+part`; without a number, the reason."""
    tidy = tidy_number(text[: LONGEST + 1])
    if len(text) > LONGEST:
        return Proposal(None, 0.0, "too_long")
    if not any(map(str.isdigit, tidy)) and normalise(text) in NO_VALUE:
        return Proposal(None, 1.0, "no_value")
    try:
        found = _read(tidy, factors, habit)
    except DecimalException:
        return Proposal(None, 0.0, "too_many_digits")
    if found.value is None:
        return found
    number = found.value.normalize(EXACT) or Decimal(0)  # 12, not 12.0 or -0
    if not _fits(number):
        return Proposal(None, 0.0, "too_many_digits")
    whole = number == number.to_integral_value()
    return Proposal(number.quantize(Decimal(1), context=EXACT) if whole else number, found.confidence, found.rule)


def _read(text: str, factors: Mapping[str, Decimal], habit: Habit) -> Proposal[Decimal]:
    if match := SCIENTIFIC.fullmatch(text):
        whole, fraction, exponent = match.groups(default="")
        number = EXACT.create_decimal(f"{whole}.{fraction or '0'}e{exponent}")
        return Proposal(number, CONFIDENCE["scientific"], "scientific")
    if not any("0" <= mark <= "9" for mark in text):
        worded = read_number_words(text)
        return Proposal(None, 0.0, "no_number") if worded is None else Proposal(worded, CONFIDENCE["words"], "words")
    if match := RANGE.fullmatch(text):
        ends = [_read_one(part, factors, habit) for part in match.groups()]
        if all(end.value is not None for end in ends):
            middle = EXACT.divide(EXACT.add(ends[0].value, ends[1].value), Decimal(2))  # type: ignore[arg-type]
            return Proposal(middle, CONFIDENCE["range"], "range")
    return _read_one(text, factors, habit)


def _read_one(text: str, factors: Mapping[str, Decimal], habit: Habit) -> Proposal[Decimal]:
    enclosed = text.startswith("(") and text.endswith(")")
    text = text[1:-1].strip() if enclosed else text
    bodies = list(BODY.finditer(text))
    if len(bodies) != 1:
        return Proposal(None, 0.0, "several_numbers" if bodies else "no_number")
    body = bodies[0]
    ways = readings(body.group())
    if not ways:
        return Proposal(None, 0.0, "odd_separators")
    notation, digits, confidence = _chosen(ways, habit)
    before, after = text[: body.start()], text[body.end() :]
    affixes = [*_affixes(before, factors), *_affixes(after.removesuffix("."), factors)]
    signs = [part for part, _ in affixes if part in SIGNS] + ["("] * enclosed
    parts = sorted({part for part, _ in affixes if part == "unknown_unit"}) + [
        part for part, _ in affixes if part not in (*SIGNS, "unknown_unit")
    ]
    kinds = [part.split(" ")[0] for part in parts]
    if len(signs) > 1 or any(kinds.count(kind) > 1 for kind in set(kinds)):
        return Proposal(None, 0.0, "several_signs_or_units")
    number = Decimal(digits)
    for _, factor in affixes:
        number = EXACT.multiply(number, factor)
    if enclosed:
        number = EXACT.minus(number)
    if signs and signs != ["+"] and (enclosed or not before.strip().startswith("-")):
        parts.append("negative")  # written otherwise than with a minus in front
        kinds.append("negative")
    if "currency" in kinds and len(habit.currencies) > 1:
        kinds.append("ambiguous_currencies")
    confidence = min([confidence, *(CONFIDENCE[kind] for kind in kinds)])
    return Proposal(number, confidence, "+".join([notation, *sorted(parts)]))


def _chosen(ways: Mapping[str, str], habit: Habit) -> tuple[str, str, float]:
    """Notation, digits and confidence. Two ways only where one separator stands before three digits: `1,234`."""
    if len(ways) == 1:
        ((notation, digits),) = ways.items()
        return notation, digits, CONFIDENCE[notation]
    wanted = ("decimal_point", "comma_groups") if habit.mark == "." else ("decimal_comma", "point_groups")
    digits = next(ways[notation] for notation in wanted if notation in ways)
    return AMBIGUOUS, digits, min(habit.confidence, CONFIDENCE["decimal_comma"])


def _affixes(text: str, factors: Mapping[str, Decimal]) -> Iterator[tuple[str, Decimal]]:
    """What stands beside a number: (part of the rule, factor)."""
    for word in AFFIX.findall(text):
        form = _form(word)
        if (factor := factors.get(form)) is not None:
            yield f"unit {form}", factor
        elif word in SIGNS:
            yield word, SIGNS[word]
        elif currency := CURRENCIES.get(word.removesuffix(".")):
            yield f"currency {currency}", Decimal(1)
        elif form in SCALES:
            yield "scale", SCALES[form]
        elif form in PERCENTS:
            yield "percent", PERCENTS[form]
        else:
            yield "unknown_unit", Decimal(1)


@lru_cache(maxsize=10_000)
def _form(word: str) -> str:
    return normalise(word).removesuffix(".")


def _fits(number: Decimal) -> bool:
    """At most 38 digits before the point, and 38 after it."""
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -38 and number.adjusted() < 38

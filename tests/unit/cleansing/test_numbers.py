"""Texts of numbers: every notation read exactly, and what cannot be told left to a person."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regulars.cleansing.numbers import propose_numbers, read_number
from regulars.cleansing.proposals import CAP, DEFAULT_THRESHOLD
from regulars.cleansing.separators import Habit
from regulars.cleansing.units import CODES, SYMBOLS

SURE = [
    ("12", "12"), ("007", "7"), ("12.50", "12.5"), (".5", "0.5"), ("12,5", "12.5"), ("0,125", "0.125"), ("5.", "5"),
    ("1,234.56", "1234.56"), ("1.234,56", "1234.56"), ("1 234,56", "1234.56"), ("1'234.56", "1234.56"),
    ("1’234.56", "1234.56"), ("1\N{NARROW NO-BREAK SPACE}234", "1234"), ("1,234,567", "1234567"),
    ("12,34,567", "1234567"), ("1,23,456.78", "123456.78"), ("1.234.567", "1234567"),
    ("(1,234.50)", "-1234.5"), ("($5.50)", "-5.5"), ("5-", "-5"), ("-5", "-5"), ("−5", "-5"), ("–5", "-5"),
    ("- 5", "-5"), ("+5", "5"),
    ("5k", "5000"), ("1.5 K", "1500"), ("1,5k", "1500"), ("2m", "2000000"), ("2mn", "2000000"),
    ("1.25bn", "1250000000"), ("3 lakh", "300000"),
    ("12%", "0.12"), ("12.5 %", "0.125"), ("(12%)", "-0.12"), ("5 percent", "0.05"), ("5‰", "0.005"),
    ("$5", "5"), ("-$5", "-5"), ("$-5", "-5"), ("5 €", "5"), ("EUR 5", "5"), ("5USD", "5"), ("US$5", "5"),
    ("Rs. 500", "500"), ("€1.5mn", "1500000"), ("zł 5", "5"),
    ("１２．５", "12.5"), ("١٢٣", "123"), ("١٬٢٣٤٫٥٦", "1234.56"), ("१२३", "123"), ("12\u200b3", "123"),
    ("twelve", "12"), ("one hundred and five", "105"), ("One Hundred and Five", "105"), ("forty-two", "42"),
    ("a hundred", "100"), ("minus two", "-2"),
    ("two point five", "2.5"), ("two million three hundred thousand and one", "2300001"), ("zero", "0"), ("-0", "0"),
]  # fmt: skip
WAITING = [
    ("1,234", "1234", "ambiguous_separator"), ("1.234", "1.234", "ambiguous_separator"),
    ("(1,234)", "-1234", "ambiguous_separator+negative"),
    ("10-20", "15", "range"), ("10 – 21", "15.5", "range"), ("$10 to $20", "15", "range"),
    ("12.0 oz.", "12", "decimal_point+unknown_unit"), ("3rd", "3", "plain+unknown_unit"),
    ("1O", "1", "plain+unknown_unit"), ("5,", "5", "plain+unknown_unit"), ("10²", "10", "plain+unknown_unit"),
    ("1½", "1", "plain+unknown_unit"), ("1.2E+03", "1200", "scientific"),
]  # fmt: skip
UNREADABLE = [
    ("high", "no_number"), ("third", "no_number"), ("first", "no_number"), ("one million thousand", "no_number"),
    ("one million and thousand", "no_number"), ("twenty twenty", "no_number"), ("two point twelve", "no_number"),
    ("1,2,3", "odd_separators"), ("12.10.2023", "odd_separators"), ("1,234,56", "odd_separators"),
    ("1 2", "odd_separators"), ("0,123,456", "odd_separators"),
    ("12/10/2023", "several_numbers"), ("10:30", "several_numbers"), ("2023-10-12", "several_numbers"),
    ("1_000", "several_numbers"), ("10--20", "several_numbers"),
    ("(-5)", "several_signs_or_units"), ("--5", "several_signs_or_units"), ("5 % %", "several_signs_or_units"),
    ("5 k m", "several_signs_or_units"),
    ("9" * 39, "too_many_digits"), ("1e99", "too_many_digits"), ("0." + "0" * 38 + "1", "too_many_digits"),
    ("1" * 101, "too_long"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "number"), SURE)
def test_a_number_is_read_exactly(text: str, number: str) -> None:
    found = read_number(text)
    assert (str(found.value), found.confidence >= DEFAULT_THRESHOLD) == (number, True), found


@pytest.mark.parametrize(("text", "number", "rule"), WAITING)
def test_what_cannot_be_told_is_proposed_below_every_default(text: str, number: str, rule: str) -> None:
    found = read_number(text)
    assert (str(found.value), found.rule, found.confidence < DEFAULT_THRESHOLD) == (number, rule, True), found


@pytest.mark.parametrize(("text", "reason"), UNREADABLE)
def test_what_is_no_number_has_a_reason(text: str, reason: str) -> None:
    found = read_number(text)
    assert (found.value, found.confidence, found.rule) == (None, 0.0, reason)


@pytest.mark.parametrize("text", ["", " ", "-", "—", "--", "n/a", "N/A", "#N/A", "null", "NaN", "\u200b"])
def test_nothing_is_an_explicit_null(text: str) -> None:
    found = read_number(text)
    assert (found.value, found.confidence, found.rule) == (None, 1.0, "no_value")


@pytest.mark.parametrize("text", ["none", "nil", "0", "zero", "?"])
def test_what_may_be_a_zero_or_an_answer_is_no_null(text: str) -> None:
    assert read_number(text).rule != "no_value"


def test_the_other_values_of_a_column_tell_its_decimal_mark() -> None:
    points = [f"{n}.{n}" for n in range(10, 40)]
    commas = [f"{n},{n}" for n in range(10, 40)]
    for others, expected in ((points, ["1234", "1.234"]), (commas, ["1.234", "1234"])):
        found = propose_numbers(["1,234", "1.234", *others])[:2]
        assert [str(one.value) for one in found] == expected
        assert all(one.confidence >= DEFAULT_THRESHOLD for one in found)
    assert all(one.confidence <= 0.51 for one in propose_numbers(["1,234", "1.234", *points, *commas])[:2])
    assert read_number("1,234", habit=Habit(points=8)).confidence == 0.9, "eight of eight: (8 + 1) / (8 + 2)"


def test_a_contract_says_what_its_units_mean() -> None:
    factors = {"oz": Decimal(1), "dozen": Decimal(12), "%": Decimal(1), "m": Decimal("0.001")}
    found = propose_numbers(["12.0 OZ.", "2 dozen", "5%", "5 m", "12 oz. can"], factors)
    assert [str(one.value) for one in found] == ["12", "24", "5", "0.005", "12"]
    assert [one.confidence for one in found] == [1, 1, 1, 1, CAP]


def test_two_currencies_in_a_column_are_left_to_a_person() -> None:
    assert [one.confidence for one in propose_numbers(["$5", "USD 7", "5"])] == [0.97, 0.97, 1]
    assert [one.confidence for one in propose_numbers(["$5", "7 €", "5"])] == [CAP, CAP, 1]


finite = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6)


def grouped(digits: str, separator: str, indian: bool) -> str:
    head, tail = digits[:-3], digits[-3:]
    size = 2 if indian else 3
    parts: list[str] = []
    while head:
        head, part = head[:-size], head[-size:]
        parts.insert(0, part)
    return separator.join([*parts, tail])


NOTATIONS = [
    (",", ".", False), (".", ",", False), (" ", ",", False), (" ", ".", False), ("'", ".", False), (",", ".", True),
    ("", ".", False), ("", ",", False), ("\u00a0", ",", False), ("’", ".", False),
]  # fmt: skip
SIGNINGS = ["-{}", "−{}", "({})", "{}-", "- {}"]
BESIDE = [("{}", 1), ("$ {}", 1), ("{} €", 1), ("CHF {}", 1), ("{}%", 100), ("{} k", Decimal("0.001")), ("{}mn", Decimal("0.000001"))]  # fmt: skip
DIGITS = ["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९"]


@given(finite, st.sampled_from(NOTATIONS), st.sampled_from(SIGNINGS), st.sampled_from(BESIDE), st.sampled_from(DIGITS))
@example(Decimal("-1234.000000"), NOTATIONS[0], "({})", ("{}%", 100), DIGITS[0])
def test_what_is_written_in_any_notation_is_read_back(
    number: Decimal, notation: tuple[str, str, bool], signing: str, beside: tuple[str, Decimal], digits: str
) -> None:
    separator, mark, indian = notation
    pattern, factor = beside
    whole, fraction = format(abs(number), "f").split(".")
    body = (
        (grouped(whole, separator, indian) if separator else whole) + mark + fraction
    )  # six decimals: never ambiguous
    text = pattern.format(body).translate(str.maketrans("0123456789", digits))
    found = read_number(signing.format(text) if number < 0 else text)
    assert found.value is not None, (text, found)
    assert found.value * factor == number
    assert isinstance(found.value, Decimal) and found.confidence >= DEFAULT_THRESHOLD


@given(finite)
def test_a_number_as_it_is_stored_is_read_as_itself(number: Decimal) -> None:
    once = read_number(format(number.normalize(), "f"), habit=Habit(points=100)).value
    assert once == number
    assert read_number(format(once, "f"), habit=Habit(points=100)).value == once


LETTERS = st.text(alphabet="0123456789.,-()' %$€kmeE/+\u00a0½²٣٫３oneadtw", max_size=14)


@given(st.text(max_size=40) | LETTERS)
@example("\ud800")
@example("\x00")
@example("∞")
@example("1" + "," * 60)
def test_no_text_is_a_crash_or_anything_but_a_finite_number(text: str) -> None:
    found = read_number(text)
    assert 0 <= found.confidence <= 1
    assert found.value is None or (found.value.is_finite() and -38 <= found.value.adjusted() < 38)
    assert propose_numbers([text, "1.5"])[0].value == found.value or found.rule.startswith("ambiguous")


SMALL = "one two three four five six seven eight nine ten eleven twelve thirteen nineteen".split()  # noqa: SIM905
WORDS = [*SMALL, "twenty", "ninety", "hundred", "thousand", "million", "billion", "and", "minus", "point", "a", "zero"]


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8))
def test_words_of_numbers_never_crash_and_scales_fall(words: list[str]) -> None:
    found = read_number(" ".join(words))
    assert found.value is None or found.confidence < 1
    if "million" in words and "thousand" in words and words.index("thousand") < words.index("million"):
        assert found.value is None


SPELT = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten",
         11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen", 16: "sixteen", 17: "seventeen",
         18: "eighteen", 19: "nineteen", 20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty",
         70: "seventy", 80: "eighty", 90: "ninety"}  # fmt: skip


def spelt(number: int, conjunction: str, hyphen: str) -> str:
    for size, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            link = conjunction if rest and rest < 100 else " "
            return f"{spelt(number // size, conjunction, hyphen)} {name}" + (
                link + spelt(rest, conjunction, hyphen) if rest else ""
            )
    if number in SPELT:
        return SPELT[number]
    return f"{SPELT[number // 10 * 10]}{hyphen}{SPELT[number % 10]}"


@given(st.integers(1, 10**12 - 1), st.sampled_from([" ", " and "]), st.sampled_from(["-", " "]))
def test_every_number_in_words_is_read_back(number: int, conjunction: str, hyphen: str) -> None:
    text = spelt(number, conjunction, hyphen)
    found = read_number(text)
    assert (found.value, found.rule) == (number, "words") if len(text) <= 100 else (None, "too_long"), text


def test_codes_and_signs_of_currencies() -> None:
    assert len(CODES) == len(set(CODES)) and all(len(code) == 3 and code.isupper() for code in CODES)
    assert set(SYMBOLS.values()) <= set(CODES)


@pytest.mark.real_data
def test_naughty_strings_are_read_without_a_crash(datasets: Path) -> None:
    strings = json.loads((datasets / "naughty_strings" / "blns.json").read_text())
    random.Random(1).shuffle(strings)
    found = dict(zip(strings, propose_numbers(strings), strict=True))
    usable = {
        text: one.value for text, one in found.items() if one.value is not None and one.confidence >= DEFAULT_THRESHOLD
    }
    assert len(strings) > 400
    assert all(any(mark.isdigit() for mark in text) for text in usable), usable
    assert found["1/2"].value is None and found["0x0"].confidence <= CAP and found["Infinity"].value is None

"""Forms in which two spellings of one word are equal: Unicode normalisation (UAX 15) and full case folding."""

from __future__ import annotations

import re
import unicodedata

DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
QUOTES = dict.fromkeys(map(ord, "'‘’‚‛′`´ʼ＇"), "'") | dict.fromkeys(map(ord, "“”„‟″«»＂"), '"')
INVISIBLE = {ord(mark): None for mark in "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"}
# Accents of Latin, Greek and Cyrillic. Marks of other scripts (vowel signs, dakuten) are letters, and stay.
ACCENTS = re.compile("[\u0300-\u036f]+")
DIGITS = re.compile(r"\d")


def normalise(text: str) -> str:
    """Text without what people do not see as a difference: case, runs of spaces, accents, full-width and other
    compatibility forms, kinds of dash and quote, invisible characters. `normalise(normalise(x)) == normalise(x)`.
    """
    before, text = None, text.translate(INVISIBLE)
    while text != before:  # folding can bring out what composes anew; the second round changes nothing, nearly always
        before = text
        text = unicodedata.normalize("NFKD", text.translate(DASHES | QUOTES)).casefold()
        text = unicodedata.normalize("NFKC", ACCENTS.sub("", text)).translate(INVISIBLE)
        text = " ".join(text.split())
    return text


def letters_of(text: str) -> str:
    """Letters and digits of a normalised text alone: `non-profit, private` and `non profit private` are equal."""
    return "".join(mark for mark in text if unicodedata.category(mark)[0] not in "PSZC")


def digits_of(text: str) -> str:
    """Digits of a text in their order. They tell codes apart: `ami-2` is no misspelling of `ami-3`."""
    return "".join(DIGITS.findall(text))


def tidy_number(text: str) -> str:
    """Text of a number with plain digits, spaces, minus, apostrophes and separators.

    Full-width and other decimal digits (Arabic-Indic, Devanagari, ...) become 0-9 one by one. Compatibility forms are
    not: NFKC would turn 10² into 102 and 1½ into 11/2.
    """
    return " ".join("".join(map(_plain, text.translate(INVISIBLE))).split())


def _plain(mark: str) -> str:
    if mark.isascii():
        return mark
    if mark in NUMBER_MARKS:
        return NUMBER_MARKS[mark]
    if (digit := unicodedata.decimal(mark, None)) is not None:
        return str(digit)
    if unicodedata.category(mark) == "Zs":
        return " "
    return unicodedata.normalize("NFKC", mark) if unicodedata.decomposition(mark).startswith("<wide>") else mark


NUMBER_MARKS = (
    dict.fromkeys("‐‑‒–−﹣－", "-") | dict.fromkeys("‘’′ʼ＇", "'") | {"٫": ".", "٬": "'", "٪": "%", "﹪": "%"}
)

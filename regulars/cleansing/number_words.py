"""English numbers in words. text2num reads them (MIT, maintained, integers only); what it reads loosely is refused."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise

from text_to_num import text2num

from regulars.cleansing.normalise import normalise

WORDS = re.compile(r"[a-z]+(?:[ -][a-z]+)*")
MINUS = ("minus ", "negative ")
SCALES = {"thousand": 3, "million": 6, "billion": 9}


def read_number_words(text: str) -> Decimal | None:
    """`twelve`, `one hundred and five`, `minus two point five` as a number; None where it is none."""
    words = normalise(text)
    sign = 1
    for minus in MINUS:
        if words.startswith(minus):
            sign, words = -1, words.removeprefix(minus)
    if not WORDS.fullmatch(words):
        return None
    words = re.sub(r"^an? ", "one ", words)
    whole, point, fraction = words.partition(" point ")
    digits = [_integer(word) for word in fraction.split()] if point else []
    number = _integer(whole)
    if number is None or any(digit is None or digit > 9 for digit in digits) or (point and not digits):
        return None
    return sign * Decimal(f"{number}.{''.join(str(digit) for digit in digits) or 0}")


def _integer(text: str) -> int | None:
    """Scales must fall, each with a number before it: text2num adds `one million thousand` up."""
    words = re.split("[ -]", text)
    scales = [SCALES[word] for word in words if word in SCALES]
    bare = any(word in SCALES and before in (*SCALES, "and") for before, word in pairwise(words))
    if bare or scales != sorted(set(scales), reverse=True):
        return None
    try:
        return int(text2num(text, "en"))
    except ValueError:
        return None

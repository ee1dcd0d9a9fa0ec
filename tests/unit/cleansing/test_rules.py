"""What a contract may say of a mapped column."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from regulars.cleansing.proposals import DEFAULT_THRESHOLD
from regulars.cleansing.rules import MappingRule


def test_a_rule_is_read_from_the_meta_of_a_column() -> None:
    meta = yaml.safe_load(
        "{mapping: words, vocabulary: [high, 2023], abbreviations: {hi: high}, threshold: 0.85, required: true}"
    )
    rule = MappingRule.of(meta)
    assert rule == MappingRule(
        mapping="words", vocabulary=("high", "2023"), abbreviations={"hi": "high"}, threshold=Decimal("0.85")
    )
    assert MappingRule.of({"required": True}) is None
    assert MappingRule(mapping="words", vocabulary="learned").threshold == DEFAULT_THRESHOLD
    numbers = MappingRule.of(yaml.safe_load("{mapping: numbers, abbreviations: {Oz.: 1, dozen: 12, '%': 0.5}}"))
    assert numbers is not None and numbers.factors == {"oz": 1, "dozen": 12, "%": Decimal("0.5")}


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ("{vocabulary: [a]}", "mapping"),
        ("{mapping: word}", "'words' or 'numbers'"),
        ("{mapping: words}", "needs a vocabulary"),
        ("{mapping: words, vocabulary: []}", "needs a vocabulary"),
        ("{mapping: words, vocabulary: [yes, no]}", "put it in quotes"),
        ("{mapping: words, vocabulary: [a, '']}", "a word of it is empty"),
        ("{mapping: words, vocabulary: a}", "neither a list of words"),
        ("{mapping: words, vocabulary: [high], abbreviations: {hi: hihg}}", "nearest: 'high'"),
        ("{mapping: words, vocabulary: [a, b], abbreviations: {x: a, X: b}}", "two meanings"),
        ("{mapping: words, vocabulary: [a, b], abbreviations: {A: b}}", "is a word of the vocabulary"),
        ("{mapping: numbers, vocabulary: [a]}", "no vocabulary"),
        ("{mapping: numbers, abbreviations: {oz: one}}", "no positive number"),
        ("{mapping: numbers, abbreviations: {oz: 0}}", "no positive number"),
        ("{mapping: numbers, threshold: 0.5}", "greater than 0.5"),
        ("{mapping: numbers, threshold: 1.1}", "less than or equal to 1"),
        ("{mapping: numbers, threshold: high}", "threshold"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong(meta: str, said: str) -> None:
    given: dict[str, Any] = yaml.safe_load(meta)
    with pytest.raises(ValidationError) as error:
        MappingRule.of(given)
    assert said in str(error.value) and "function-" not in str(error.value)

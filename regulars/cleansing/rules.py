"""How a column is mapped, as its contract says under `config.meta`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from regulars.cleansing.normalise import normalise
from regulars.cleansing.proposals import CAP, DEFAULT_THRESHOLD, Kind

FIELDS = frozenset({"mapping", "vocabulary", "abbreviations", "threshold"})


def _text(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} is no text: YAML reads yes, no, on, off and null so; put it in quotes")
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_text), Field(min_length=1)]


class MappingRule(BaseModel):
    """`mapping: words` with a `vocabulary` (a list, or `learned`: the canonical values approved so far) or
    `mapping: numbers`; `abbreviations` of words stand for a word, those of numbers for what a unit multiplies by.
    A proposal is used from `threshold` on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mapping: Kind
    vocabulary: tuple[str, ...] | Literal["learned"] | None = None
    abbreviations: dict[Text, Text] = Field(default_factory=dict)
    threshold: Annotated[Decimal, BeforeValidator(_text)] = Field(
        DEFAULT_THRESHOLD, gt=Decimal(str(CAP)), le=1, decimal_places=3
    )

    @classmethod
    def of(cls, meta: Mapping[str, Any]) -> MappingRule | None:
        """The rule in a column's `meta`, whose other fields are left alone; None where the column is not mapped.

        Raises pydantic's ValidationError, as contracts do.
        """
        given = {name: meta[name] for name in FIELDS & meta.keys()}
        return cls(**given) if given else None

    @field_validator("vocabulary", mode="before")
    @classmethod
    def _words(cls, value: Any) -> Any:
        if value is None or value == "learned":
            return value
        if not isinstance(value, list | tuple):
            raise ValueError(f"{value!r} is neither a list of words nor `learned`")
        words = tuple(_text(word) for word in value)
        if not all(isinstance(word, str) and word.strip() for word in words):
            raise ValueError("a word of it is empty, or no text")
        return words

    @model_validator(mode="after")
    def _fits_its_kind(self) -> MappingRule:
        meanings: dict[str, str] = {}
        for short, meaning in self.abbreviations.items():
            if meanings.setdefault(normalise(short), meaning) != meaning:
                raise ValueError(f"abbreviation {short!r} is given two meanings")
        if self.mapping == "numbers":
            if self.vocabulary is not None:
                raise ValueError("a column of numbers has no vocabulary")
            for unit, factor in self.abbreviations.items():
                if not _is_factor(factor):
                    raise ValueError(f"unit {unit!r} multiplies by {factor!r}, which is no positive number")
            return self
        if self.vocabulary is None or self.vocabulary == ():
            raise ValueError("a column of words needs a vocabulary: a list of words, or `learned`")
        if self.vocabulary != "learned":
            forms = {normalise(word): word for word in self.vocabulary}
            for short, word in self.abbreviations.items():
                if forms.get(normalise(short), word) != word:
                    raise ValueError(f"abbreviation {short!r} is a word of the vocabulary itself")
                if word not in self.vocabulary:
                    raise ValueError(f"abbreviation {short!r} stands for {word!r}: {not_a_word(word, self.vocabulary)}")
        return self

    @property
    def factors(self) -> dict[str, Decimal]:
        """What a unit multiplies by, by its normalised form (columns of numbers)."""
        return {normalise(unit).removesuffix("."): Decimal(factor) for unit, factor in self.abbreviations.items()}


def not_a_word(word: str, vocabulary: tuple[str, ...]) -> str:
    """A sentence on a word that is not in the vocabulary, with the nearest one that is."""
    near = difflib.get_close_matches(word, vocabulary, n=1)
    return "it is not in the vocabulary" + (f" (nearest: {near[0]!r})" if near else "")


def _is_factor(text: str) -> bool:
    try:
        return Decimal(text).is_finite() and Decimal(text) > 0
    except InvalidOperation:
        return False

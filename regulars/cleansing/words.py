"""Raw words against a canonical vocabulary: exact, normalised, abbreviated, or misspelt."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rapidfuzz.distance import OSA, Levenshtein
from rapidfuzz.process import cdist

from regulars.cleansing.normalise import digits_of, letters_of, normalise
from regulars.cleansing.proposals import CAP, NO_VALUE, Proposal

WORD = re.compile(r"[^\W_]+")
FARTHEST = 0.4  # share of letters that may differ before nothing is proposed at all
# Misspellings seldom touch the first letter (1.4 to 7 % of them: Kukich 1992, ACM Computing Surveys 24/4), while names
# that differ in nothing else are many: Portland and Cortland.
FIRST_LETTER = 0.8
CELLS = 4_000_000  # of one matrix of distances: 8 MB


@dataclass(frozen=True)
class Vocabulary:
    """Canonical words and the known abbreviations of some of them. Order and repetition of words mean nothing."""

    words: frozenset[str]
    abbreviations: Mapping[str, str]

    @cached_property
    def by_form(self) -> dict[str, list[str]]:
        """Canonical words by normalised form; several where they differ only in what normalising takes away."""
        return _grouped((normalise(word), word) for word in sorted(self.words))

    @cached_property
    def by_letters(self) -> dict[str, list[str]]:
        return _grouped((letters_of(form), word) for form, words in self.by_form.items() for word in words)

    @cached_property
    def by_parts(self) -> dict[str, list[str]]:
        return _grouped((_parts(form), word) for form, words in self.by_form.items() for word in words)

    @cached_property
    def short_forms(self) -> dict[str, list[str]]:
        return _grouped((normalise(short), word) for short, word in sorted(self.abbreviations.items()))


def propose_words(raws: Sequence[str], vocabulary: Vocabulary) -> list[Proposal[str]]:
    """A proposal for each raw value, in the order given; each depends on its raw value and the vocabulary alone.

    A confidence is 1 where only the way of writing differs, else 1 - 2*s*s, with s the share of letters that are changed,
    left out, added or swapped (optimal string alignment) in the part that differs most (one letter in five: 0.92); at
    most 0.5 where a second word is nearly as near or digits differ, at most 0.8 where the first letter differs.
    """
    found: dict[str, Proposal[str]] = {}
    misspelt: dict[str, list[str]] = defaultdict(list)
    for raw in set(raws):
        form = normalise(raw)
        proposal = _known(raw, form, vocabulary)
        if proposal is None:
            misspelt[form].append(raw)
        else:
            found[raw] = proposal
    for form, proposal in _nearest(sorted(misspelt), vocabulary).items():
        found.update(dict.fromkeys(misspelt[form], proposal))
    return [found[raw] for raw in raws]


def _known(raw: str, form: str, vocabulary: Vocabulary) -> Proposal[str] | None:
    if raw in vocabulary.words:
        return Proposal(raw, 1.0, "exact")
    rules = (
        ("normalised", 1.0, vocabulary.by_form, form),
        ("abbreviation", 1.0, vocabulary.short_forms, form),
        ("punctuation", 0.97, vocabulary.by_letters, letters_of(form)),
        ("word_order", 0.95, vocabulary.by_parts, _parts(form)),
    )
    for rule, confidence, words, key in rules:
        if rule == "punctuation" and (form in NO_VALUE or not key):
            return Proposal(None, 1.0, "no_value") if form in NO_VALUE else Proposal(None, 0.0, "no_letters")
        if matches := words.get(key):
            several = len(matches) > 1
            return Proposal(matches[0], CAP if several else confidence, f"ambiguous_{rule}" if several else rule)
    return None


def _nearest(forms: list[str], vocabulary: Vocabulary) -> dict[str, Proposal[str]]:
    """Proposals for misspelt forms: among the words with the same digits, else among all, as a hint for a person."""
    choices = list(vocabulary.by_form)
    found: dict[str, Proposal[str]] = {}
    same_digits = _grouped((digits_of(choice), choice) for choice in choices)
    for digits, asked in _grouped((digits_of(form), form) for form in forms).items():
        found.update(_near(asked, same_digits.get(digits, []), vocabulary))
    rest = [form for form in forms if form not in found and len(same_digits.get(digits_of(form), [])) < len(choices)]
    for form, proposal in _near(rest, choices, vocabulary).items():
        found[form] = Proposal(proposal.value, min(CAP, proposal.confidence), "digits_differ")
    return {form: found.get(form, Proposal(None, 0.0, "nothing_near")) for form in forms}


def _near(forms: Sequence[str], choices: Sequence[str], vocabulary: Vocabulary) -> dict[str, Proposal[str]]:
    """Those of the forms that have a choice within FARTHEST, with the nearest one."""
    found: dict[str, Proposal[str]] = {}
    if not choices:
        return found
    queue = sorted(forms, key=len)  # forms of a length share the greatest distance worth knowing
    step = max(1, CELLS // len(choices))
    for start in range(0, len(queue), step):
        part = queue[start : start + step]
        farthest = int(FARTHEST * len(part[-1])) + 2  # what is farther is told apart from what matters, no more
        distances = cdist(part, choices, scorer=OSA.distance, score_cutoff=farthest, dtype=np.uint16)
        best = distances.argmin(axis=1)
        nearest = distances[np.arange(len(part)), best]
        distances[np.arange(len(part)), best] = np.iinfo(np.uint16).max
        second = distances.min(axis=1)
        for row, form in enumerate(part):
            choice = choices[int(best[row])]
            edits = int(nearest[row])
            if edits <= FARTHEST * len(form):
                found[form] = _judged(form, choice, int(second[row]) - edits, vocabulary.by_form[choice])
    return found


def _judged(form: str, choice: str, margin: int, words: list[str]) -> Proposal[str]:
    confidence, rule = round(max(0.0, 1 - 2 * _changed(form, choice) ** 2), 3), "misspelling"
    if margin < 2 or len(words) > 1:  # the runner-up is at most one edit farther
        confidence, rule = min(confidence, CAP), "ambiguous_misspelling"
    elif _begins_otherwise(form, choice):
        confidence, rule = min(confidence, FIRST_LETTER), "first_letter"
    return Proposal(words[0], confidence, rule)


def _changed(form: str, choice: str) -> float:
    """Share of letters changed in that word of the choice which changed most: `medical center north` is no misspelling
    of `medical center south`, however long the rest is."""
    asked, meant = WORD.findall(form), WORD.findall(choice)
    if len(asked) == len(meant):
        pairs = zip(asked, meant, strict=True)
        return max((OSA.distance(*pair) / max(map(len, pair)) for pair in pairs), default=1.0)
    spans = [match.span() for match in WORD.finditer(choice)]  # a space is wrong: words by where the letters go
    places = [op.dest_pos for op in Levenshtein.editops(form, choice)]
    return max(
        (sum(start - 1 <= place <= end for place in places) / (end - start) for start, end in spans), default=1.0
    )


def _begins_otherwise(form: str, choice: str) -> bool:
    asked, meant = WORD.findall(form), WORD.findall(choice)
    pairs = zip(asked, meant, strict=True) if len(asked) == len(meant) else zip(asked[:1], meant[:1], strict=False)
    return any(left[0] != right[0] for left, right in pairs)


def _parts(form: str) -> str:
    return " ".join(sorted(form.replace(",", " ").split()))


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return dict(groups)

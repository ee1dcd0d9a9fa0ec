"""Raw words against a vocabulary: what differs only in writing is sure, what may be another word waits."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from regulars.cleansing.normalise import letters_of, normalise
from regulars.cleansing.proposals import CAP, DEFAULT_THRESHOLD, Proposal
from regulars.cleansing.words import Vocabulary, propose_words

WORDS = (
    "Highly engaged", "Dormant", "At risk", "São Paulo", "Non-profit – private", "Portland", "Madison", "ami-2", "ami-3", "yes", "no",
    "Straße", "Marshall Medical Center North", "Zoë’s", "ﬁnance", "東京", "दिल्ली",
)  # fmt: skip
KNOWN = Vocabulary(frozenset(WORDS), {"HE": "Highly engaged", "dorm.": "Dormant"})


def proposed(raw: str, vocabulary: Vocabulary = KNOWN) -> Proposal[str]:
    return propose_words([raw], vocabulary)[0]


@pytest.mark.parametrize(
    ("raw", "word", "rule"),
    [
        ("Dormant", "Dormant", "exact"), (" DORMANT\u00a0", "Dormant", "normalised"),
        ("highly \t engaged", "Highly engaged", "normalised"),
        ("Sao Paulo", "São Paulo", "normalised"), ("sa\u0303o paulo", "São Paulo", "normalised"),
        ("Ｄｏｒｍａｎｔ", "Dormant", "normalised"), ("dor\u00admant", "Dormant", "normalised"),
        ("non-profit - private", "Non-profit – private", "normalised"), ("zoe's", "Zoë’s", "normalised"),
        ("STRASSE", "Straße", "normalised"), ("finance", "ﬁnance", "normalised"),
        ("he", "Highly engaged", "abbreviation"), ("Dorm.", "Dormant", "abbreviation"),
        ("non profit, private", "Non-profit – private", "punctuation"), ("ATRISK", "At risk", "punctuation"),
        ("ami 2", "ami-2", "punctuation"),
        ("engaged highly", "Highly engaged", "word_order"),
        ("North, Marshall Medical Center", "Marshall Medical Center North", "word_order"),
        ("Domrant", "Dormant", "misspelling"), ("Dormannt", "Dormant", "misspelling"),
        ("higly engaged", "Highly engaged", "misspelling"),
        ("marshall medical cenxer north", "Marshall Medical Center North", "misspelling"),
    ],
)  # fmt: skip
def test_what_is_meant_beyond_doubt_is_used(raw: str, word: str, rule: str) -> None:
    found = proposed(raw)
    assert (found.value, found.rule, found.confidence >= DEFAULT_THRESHOLD) == (word, rule, True), found


@pytest.mark.parametrize(
    ("raw", "word", "rule"),
    [
        ("Cortland", "Portland", "first_letter"), ("Maxixon", "Madison", "misspelling"),
        ("ami-4", "ami-2", "digits_differ"), ("xmi-2", "ami-2", "first_letter"),
        ("yxs", "yes", "misspelling"),
        ("Marshall Medical Center South", "Marshall Medical Center North", "first_letter"),
        ("Portland OR", "Portland", "misspelling"),
    ],
)  # fmt: skip
def test_what_may_be_another_word_waits(raw: str, word: str, rule: str) -> None:
    found = proposed(raw)
    assert (found.value, found.rule, found.confidence < DEFAULT_THRESHOLD) == (word, rule, True), found


@pytest.mark.parametrize(
    ("raw", "reason"),
    [("Constantinople", "nothing_near"), ("?!", "no_letters"), ("x", "nothing_near"), ("दल्ली गेट", "nothing_near")],
)
def test_what_is_near_nothing_has_a_reason(raw: str, reason: str) -> None:
    assert proposed(raw) == Proposal(None, 0.0, reason)


def test_vowel_signs_are_letters() -> None:
    assert normalise("दिल्ली") != normalise("दल्ली") and letters_of("की") != letters_of("के")


@pytest.mark.parametrize("raw", ["", "  ", "N/A", "-", "—", "null"])
def test_nothing_is_an_explicit_null_unless_it_is_a_word_of_the_vocabulary(raw: str) -> None:
    assert proposed(raw) == Proposal(None, 1.0, "no_value")
    assert proposed("N/A", Vocabulary(frozenset({"n/a"}), {})).value == "n/a"


def test_two_words_nearly_as_near_are_told_apart_by_a_person() -> None:
    near = Vocabulary(frozenset({"marshall", "marshell", "Reading", "READING", "gold-1"}), {})
    assert [proposed(raw, near).confidence for raw in ("marshxll", "marshal", "reading", "Reading")] == [
        CAP,
        CAP,
        CAP,
        1.0,
    ]
    assert proposed("reading", near).rule == "ambiguous_normalised"


def test_an_empty_vocabulary_proposes_nothing() -> None:
    assert propose_words(["a", "", "a"], Vocabulary(frozenset(), {})) == [
        Proposal(None, 0.0, "nothing_near"), Proposal(None, 1.0, "no_value"), Proposal(None, 0.0, "nothing_near"),
    ]  # fmt: skip


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
vocabularies = st.frozensets(texts.filter(lambda text: text.strip() != ""), max_size=8)


@given(vocabularies, st.randoms(use_true_random=False))
def test_a_canonical_word_is_itself(words: frozenset[str], random: object) -> None:
    for word, found in zip(words, propose_words(list(words), Vocabulary(words, {})), strict=True):
        assert found == Proposal(word, 1.0, "exact")


@given(vocabularies, st.lists(texts, max_size=8), st.data())
def test_a_proposal_depends_on_its_raw_value_and_the_vocabulary_alone(words: frozenset[str], raws: list[str], data: st.DataObject) -> None:  # fmt: skip
    vocabulary = Vocabulary(words, {})
    together = propose_words(raws, vocabulary)
    order = data.draw(st.permutations(range(len(raws))))
    assert propose_words([raws[place] for place in order], vocabulary) == [together[place] for place in order]
    assert [proposed(raw, vocabulary) for raw in raws] == together
    assert all(found.value is None or found.value in words for found in together)
    assert all((found.value is None) == (found.confidence == 0 or found.rule == "no_value") for found in together if found.rule != "misspelling")  # fmt: skip


@given(st.text(st.sampled_from("abcdefgh "), min_size=6, max_size=30), st.text(st.sampled_from("ijklmnop"), min_size=6, max_size=9), st.data())  # fmt: skip
def test_one_letter_in_a_long_word_is_put_right(word: str, other: str, data: st.DataObject) -> None:
    assume(all(len(part) >= 5 for part in word.split()) and normalise(word) == word)
    place = data.draw(st.sampled_from([n for n, mark in enumerate(word) if n and mark != " " and word[n - 1] != " "]))
    raw = f"{word[:place]}z{word[place + 1 :]}"
    found = proposed(raw, Vocabulary(frozenset({word, other}), {}))
    assert (found.value, found.rule, found.confidence >= DEFAULT_THRESHOLD) == (word, "misspelling", True)


@given(st.text(max_size=30))
@example("İ")
@example("ΐ")
@example("\u1fd3\u0345")
@example("\ud800")
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert normalise(unicodedata.normalize("NFD", text)) == once
    assert letters_of(letters_of(once)) == letters_of(once)


@pytest.mark.real_data
def test_naughty_strings_against_naughty_strings(datasets: Path) -> None:
    strings = json.loads((datasets / "naughty_strings" / "blns.json").read_text())
    vocabulary = Vocabulary(frozenset(strings[::2]), {})
    found = propose_words([*strings, *(f" {text.upper()}" for text in strings)], vocabulary)
    assert all(one.rule == "exact" for text, one in zip(strings, found, strict=False) if text in vocabulary.words)

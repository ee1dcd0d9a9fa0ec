"""Precision and recall of proposals on real dirty data, at several thresholds; and their speed.

python benchmarks/mapping.py [--datasets ../shared/datasets] [--values 100000] [--words 5000]

Data: hospital and beers of raha, dirty beside clean, cell by cell. Vocabulary of a column of words: the distinct values
of its clean column (`whole`), that is what a company knows that keeps a list of its own words. A list is never whole:
`half` leaves out every other word (by a hash), so that a value may have no right answer, and the nearest word is wrong.
Numbers of beers: units `oz`, `ounce` count 1, and so does `%` in abv, as its contract would say; equal means equal at
six decimal places, because abv bears 0.055999999999999994% for 0.056.

A repair is a usable proposal that is not the cell itself (for numbers: a usable number in a cell that differs, or another
number than the clean one). precision = right repairs / repairs; recall = right repairs / cells that differ. An explicit null
(`N/A`) is right where the clean cell is empty. Missing values (beers.state) cannot be mapped: their recall is 0.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import string
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import psycopg
from report import Figure, machine_facts, show, timed

from regulars.cleansing.numbers import propose_numbers
from regulars.cleansing.proposals import DEFAULT_THRESHOLD, Proposal
from regulars.cleansing.rules import MappingRule
from regulars.cleansing.words import Vocabulary, propose_words
from regulars.postgres.mappings import propose
from regulars.postgres.server import start_server, stop_server
from regulars.run import Run

THRESHOLDS = tuple(map(Decimal, ("0.70", "0.80", "0.85", "0.90", "0.95", "1")))
NUMBERS = {"ounces": {"oz": Decimal(1), "ounce": Decimal(1)}, "abv": {"%": Decimal(1)}, "ibu": {}}
SCALE = Decimal("0.000001")
Cells = Counter[tuple[str, str]]  # (dirty, clean) -> rows


@dataclass
class Score:
    """Cells: that differ, repaired, and repaired right."""

    differ: int = 0
    repaired: int = 0
    right: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.differ + other.differ, self.repaired + other.repaired, self.right + other.right)

    def __str__(self) -> str:
        precision = f"{self.right / self.repaired:.3f}" if self.repaired else "    -"
        recall = f"{self.right / self.differ:.3f}" if self.differ else "    -"
        return f"{precision}/{recall}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--datasets", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "datasets")
    options.add_argument("--values", type=int, default=100_000)
    options.add_argument("--words", type=int, default=5_000)
    given = options.parse_args()
    figures = []
    folder = given.datasets / "dirty_clean"
    if folder.is_dir():
        for title, scores in (
            ("words, vocabulary whole", word_scores(folder, "whole")),
            ("words, vocabulary half", word_scores(folder, "half")),
            ("numbers", number_scores(folder)),
        ):
            total = print_scores(title, scores)
            at = THRESHOLDS.index(DEFAULT_THRESHOLD)
            figures.append(
                Figure(f"{title}: precision at {DEFAULT_THRESHOLD}", total[at].right / total[at].repaired, "")
            )
            figures.append(Figure(f"{title}: recall at {DEFAULT_THRESHOLD}", total[at].right / total[at].differ, ""))
    else:
        print(f"{folder} is absent: real data does not ship with the project")
    figures += speed(given.values, given.words)
    show("mapping", figures, machine_facts(values=given.values, words=given.words))


def speed(values: int, words: int) -> list[Figure]:
    """Seconds of proposals alone, and of a first and a second run over ten rows a value in PostgreSQL."""
    raws, vocabulary = misspelt(values, words)
    texts = [f"{1000 + number:,}.{number % 97:02d} EUR" for number in range(values)]
    columns = {
        "word": MappingRule(mapping="words", vocabulary=tuple(vocabulary.words)),
        "number": MappingRule(mapping="numbers"),
    }
    figures = [
        Figure(f"{values:,} words against {words:,}", timed(lambda: propose_words(raws, vocabulary)), "s", "<= 60"),
        Figure(f"{values:,} numbers", timed(lambda: propose_numbers(texts)), "s", "<= 60"),
    ]
    with tempfile.TemporaryDirectory() as home:
        url = start_server(Path(home)).ensure_database("operational")
        try:
            with psycopg.connect(url, autocommit=True) as store:
                store.execute("create table metrics (word text, number text)")
                store.execute("create temporary table value (word text, number text)")
                with store.cursor() as cursor, cursor.copy("copy value from stdin") as copy:
                    for row in zip(raws, texts, strict=True):
                        copy.write_row(row)
                store.execute("insert into metrics select value.* from value, generate_series(1, 10)")
                for name, run in (("first", run_at(1)), ("second", run_at(2))):
                    seconds = timed(partial(propose, store, "public.metrics", columns, run))
                    figures.append(Figure(f"{name} run, {10 * values:,} rows of both", seconds, "s", "<= 120"))
        finally:
            stop_server(Path(home))
    return figures


def run_at(hour: int) -> Run:
    return Run(f"run-{hour}", "benchmark", date(2026, 1, 31), datetime(2026, 1, 31, hour))


def word_scores(folder: Path, vocabulary: str) -> dict[str, list[Score]]:
    """Scores by threshold, for every column of words that has cells that differ."""
    found = {}
    for column, cells in columns_of(folder):
        if column.split(".")[1] in NUMBERS or all(dirty == clean for dirty, clean in cells):
            continue
        words = {clean for _, clean in cells if clean}
        if vocabulary == "half":
            words = {word for word in words if hashlib.sha256(word.encode()).digest()[0] % 2}
        raws = sorted({dirty for dirty, _ in cells})
        proposals = dict(zip(raws, propose_words(raws, Vocabulary(frozenset(words), {})), strict=True))
        found[column] = [word_score(cells, proposals, words, threshold) for threshold in THRESHOLDS]
    return found


def word_score(cells: Cells, proposals: dict[str, Proposal[str]], words: set[str], threshold: Decimal) -> Score:
    score = Score()
    for (dirty, clean), rows in cells.items():
        proposal = proposals[dirty]
        repaired = proposal.value is not None and proposal.value != dirty and proposal.confidence >= threshold
        score += Score(
            differ=rows * (dirty != clean and (clean in words or not clean)),
            repaired=rows * repaired,
            right=rows * (repaired and proposal.value == clean),
        )
    return score


def number_scores(folder: Path) -> dict[str, list[Score]]:
    found = {}
    for column, cells in columns_of(folder):
        name = column.split(".")[1]
        if not column.startswith("beers") or name not in NUMBERS:
            continue
        raws = sorted({dirty for dirty, _ in cells})
        proposals = dict(zip(raws, propose_numbers(raws, NUMBERS[name]), strict=True))
        found[column] = [number_score(cells, proposals, threshold) for threshold in THRESHOLDS]
    return found


def number_score(cells: Cells, proposals: dict[str, Proposal[Decimal]], threshold: Decimal) -> Score:
    score = Score()
    for (dirty, clean), rows in cells.items():
        proposal, expected = proposals[dirty], Decimal(clean) if clean else None
        usable = proposal.confidence >= threshold
        same = (None if proposal.value is None else proposal.value.quantize(SCALE)) == (
            None if expected is None else expected.quantize(SCALE)
        )
        repaired = usable and (dirty != clean or not same)
        score += Score(differ=rows * (dirty != clean), repaired=rows * repaired, right=rows * (repaired and same))
    return score


def columns_of(folder: Path) -> list[tuple[str, Cells]]:
    """(data set.column, cells) with the names of the clean file; columns meet by place, because names differ."""
    found = []
    for dataset in ("hospital", "beers"):
        texts = ((folder / dataset / name).read_text().splitlines() for name in ("dirty.csv", "clean.csv"))
        dirty, clean = (list(csv.reader(lines)) for lines in texts)
        for place, column in enumerate(clean[0]):
            cells = Counter((left[place], right[place]) for left, right in zip(dirty[1:], clean[1:], strict=True))
            found.append((f"{dataset}.{column}", cells))
    return found


def print_scores(title: str, scores: dict[str, list[Score]]) -> list[Score]:
    """Prints precision/recall by column and threshold; returns the total."""
    print(f"\n{title}: precision/recall at each threshold")
    print(f"{'column':28}{'differ':>7}  " + "".join(f"{threshold!s:>13}" for threshold in THRESHOLDS))
    total = [sum((row[at] for row in scores.values()), Score()) for at in range(len(THRESHOLDS))]
    for name, row in [*scores.items(), ("total", total)]:
        print(f"{name:28}{row[0].differ:>7}  " + "".join(f"{score!s:>13}" for score in row))
    return total


def misspelt(values: int, words: int) -> tuple[Sequence[str], Vocabulary]:
    """Distinct values, each a word of a made vocabulary with one to three letters changed."""
    draws = random.Random(7)

    def made() -> str:
        parts = draws.randint(1, 3)
        return " ".join("".join(draws.choices(string.ascii_lowercase, k=draws.randint(4, 9))) for _ in range(parts))

    vocabulary = sorted({made() for _ in range(2 * words)})[:words]
    found: set[str] = set()
    while len(found) < values:
        letters = list(draws.choice(vocabulary))
        for _ in range(draws.randint(1, 3)):
            letters[draws.randrange(len(letters))] = draws.choice(string.ascii_lowercase)
        found.add("".join(letters))
    return sorted(found), Vocabulary(frozenset(vocabulary), {})


if __name__ == "__main__":
    main()

"""Keyed pseudo-random draws as SQL text: the same number for (seed, names, key) on any engine version and thread count.

A draw mixes 32 bits of key with a constant that stands for the seed and the names (table, purpose, day). The mix is
multiply-xorshift on integers under 2**59, so that no engine overflows and nothing depends on a built-in hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

import duckdb

SCALE = 2**32
MACROS = (
    "create or replace temp macro stir(h) as ((xor(h, h >> 16) * 73244475) & 4294967295)",
    "create or replace temp macro fold(h) as xor(h, h >> 16)",
    "create or replace temp macro mix32(h) as fold(stir(stir(h)))",
)


def sample_engine(threads: int = 2, memory_limit: str = "1GB") -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that knows the draws; it keeps the order of rows on any number of threads."""
    engine = duckdb.connect()
    engine.execute(f"set threads = {threads}")
    engine.execute(f"set memory_limit = '{memory_limit}'")
    engine.execute("set preserve_insertion_order = true")
    engine.execute("set TimeZone = 'UTC'")
    for macro in MACROS:
        engine.execute(macro)
    return engine


class Seeded(Protocol):
    """A specification of a sample, of which draws need the seed."""

    @property
    def seed(self) -> int: ...


class Draws:
    """Draws of one sample. `key` is SQL for a bigint in 0 .. 2**32 - 1; names tell draws over one key apart."""

    def __init__(self, spec: Seeded) -> None:
        self._seed = spec.seed

    def constant(self, *names: str | int) -> int:
        text = "\n".join([str(self._seed), *(str(name) for name in names)])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")

    def bits(self, key: str, *names: str | int) -> str:
        """SQL for a bigint in 0 .. 2**32 - 1."""
        return f"mix32(xor(({key})::bigint, {self.constant(*names)}::bigint))"

    def unit(self, key: str, *names: str | int) -> str:
        """SQL for a double in [0, 1)."""
        return f"({self.bits(key, *names)} / {SCALE}e0)"

    def below(self, share: float, key: str, *names: str | int) -> str:
        """SQL for true in `share` of the keys."""
        return f"({self.bits(key, *names)} < {round(share * SCALE)}::bigint)"

    def number(self, count: int, key: str, *names: str | int) -> str:
        """SQL for a bigint in 0 .. count - 1."""
        return f"({self.bits(key, *names)} % {count})"

    def pick(self, words: Sequence[str], key: str, *names: str | int) -> str:
        """SQL for one of the words, all equally likely."""
        return f"{sql_list(words)}[1 + {self.number(len(words), key, *names)}]"

    def weighted(self, choices: Sequence[tuple[str, float]], key: str, *names: str | int) -> str:
        """SQL for one of the texts, by weight (weights add up to 1)."""
        return by_share(self.unit(key, *names), choices)


def by_share(unit: str, choices: Sequence[tuple[str, float]]) -> str:
    """SQL that cuts [0, 1) into stretches as long as the weights; the last text takes the rest."""
    cases, reached = [], 0.0
    for text, weight in choices[:-1]:
        reached += weight
        cases.append(f"when {unit} < {reached:.9f} then {literal(text)}")
    return f"(case {' '.join(cases)} else {literal(choices[-1][0])} end)"


def sql_list(words: Sequence[str]) -> str:
    return "[" + ", ".join(literal(word) for word in words) + "]"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

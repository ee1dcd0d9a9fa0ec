"""The columns of a sample: name, type, what is missing, and the rules that their values would let a contract set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import duckdb

from regulars.discovery.column_types import ID, Typing, type_of
from regulars.discovery.found import ColumnFound, Guess
from regulars.discovery.names import contract_names
from regulars.discovery.personal import personal
from regulars.discovery.sample import Sample, counted
from regulars.engine import identifier, quote

MOST_CODES = 12
MEASURES = ("bigint", "double")


@dataclass(frozen=True)
class Columns:
    """`read`: options that the types need; `typed` names a relation of the engine with the values, missing words as null."""

    found: tuple[ColumnFound, ...]
    read: dict[str, Any]
    read_why: tuple[str, ...]


def find_columns(engine: duckdb.DuckDBPyConnection, sample: Sample) -> Columns:
    """What each column seems to be."""
    names = contract_names([column for column, _ in sample.columns])
    typings = [
        type_of(engine, sample.name, column, kind, name)
        for (column, kind), name in zip(sample.columns, names, strict=True)
    ]
    read, typings, whys = _settle(typings, names)
    missing = read.get("null_values", [])
    found = [
        _column(engine, sample, column, kind, name, typing, missing)
        for (column, kind), name, typing in zip(sample.columns, names, typings, strict=True)
    ]
    return Columns(tuple(found), read, tuple(whys))


def value_of(column: str, kind: str, missing: list[str]) -> str:
    """SQL of a value that is null where it is blank, or a word for nothing."""
    if kind != "VARCHAR":
        return identifier(column)
    value = f"nullif(trim({identifier(column)}), '')"
    return f"case when {value} in ({', '.join(map(quote, missing))}) then null else {value} end" if missing else value


def _settle(typings: list[Typing], names: list[str]) -> tuple[dict[str, Any], list[Typing], list[str]]:
    """One set of options for the table: the first column that needs one decides, another that needs a different one is text."""
    read: dict[str, Any] = {}
    whys: list[str] = []
    settled = []
    for typing, name in zip(typings, names, strict=True):
        clash = [option for option, value in typing.read.items() if read.get(option, value) != value]
        if clash:
            ask = f"{typing.data_type.why}, but {clash[0]} of the table is another: use an expression under columns"
            settled.append(replace(typing, data_type=Guess("varchar", "text, for now", ask), read={}))
            continue
        whys += [f"{option}: {name} has {typing.data_type.why}" for option in typing.read if option not in read]
        read |= typing.read
        settled.append(typing)
    missing = sorted({word for typing in settled for word in typing.missing})
    if missing:
        read["null_values"] = missing
        whys.append("null_values: words that stand where other values are missing")
    return read, settled, whys


def _column(
    engine: duckdb.DuckDBPyConnection,
    sample: Sample,
    column: str,
    kind: str,
    name: str,
    typing: Typing,
    missing: list[str],
) -> ColumnFound:
    value = value_of(column, kind, missing)
    row = engine.execute(f"select count({value}), count(distinct {value}) from {sample.name}").fetchone() or (0, 0)
    filled, distinct = int(row[0]), int(row[1])
    data_type = typing.data_type
    if not filled:
        data_type = Guess("varchar", "no value at all", "no value to tell the type by")
    pii = personal(engine, sample.name, column, name, data_type.value, distinct, filled)
    is_full = filled == sample.rows
    required = Guess(is_full, f"none missing in {sample.rows:,} rows" if is_full else "")
    enum: Guess[tuple[str, ...]] = Guess(())
    if (
        data_type.value == "varchar"
        and not pii.value
        and not pii.ask
        and 1 < distinct <= MOST_CODES
        and filled >= 10 * distinct
    ):
        codes = engine.execute(
            f"select {value} as v, count(*) from {sample.name} where {value} is not null group by v order by count(*) desc, v"
        ).fetchall()
        texts = [(str(code), int(count)) for code, count in codes]
        # Of a part of the rows, a code that is rare says that others may not have been seen.
        is_closed = sample.is_whole or texts[-1][1] >= max(10, sample.rows / 1000)
        if is_closed and all(len(code) <= 40 for code, _ in texts):
            enum = Guess(tuple(sorted(code for code, _ in texts)), counted(texts))
    least: Guess[int | None] = Guess(None)
    is_number = data_type.value in MEASURES or data_type.value.startswith("decimal")
    if is_number and not ID.search(name) and not pii.value and _is_never_negative(engine, sample.name, value):
        least = Guess(0, "never negative")
    return ColumnFound(column, name, data_type, required, enum, least, pii, distinct=distinct, filled=filled)


def _is_never_negative(engine: duckdb.DuckDBPyConnection, table: str, value: str) -> bool:
    row = engine.execute(f"select bool_or(starts_with(trim(cast({value} as varchar)), '-')) from {table}").fetchone()
    return row is not None and row[0] is False

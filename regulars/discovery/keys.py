"""What names a row, which column says when, and how a day of the table is to be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from math import prod

import duckdb

from regulars.discovery.column_types import ID
from regulars.discovery.found import ColumnFound, Guess
from regulars.discovery.sample import DAY, Sample
from regulars.engine import identifier

MOST_IN_KEY, MOST_CANDIDATES = 3, 10
NEARLY = 0.98  # of the rows: an id that a few share
CHANGED = re.compile(r"(^|_)(updated?|modified|changed?|last_(update|change|modified)|amended|synced)(_|$)")
HAPPENED = re.compile(
    r"(^|_)(occurred|created|ordered|purchased?|placed|invoice|order|event|happened|booked|sent|received|visited|started|"
    r"logged|recorded|posted|transaction|payment|acted|called|opened|submitted)(_|$)"
)


def find_key(
    engine: duckdb.DuckDBPyConnection, sample: Sample, columns: Sequence[ColumnFound], declared: Sequence[str]
) -> Guess[tuple[str, ...]]:
    """The smallest set of up to three columns that no two rows of a day share; exact repetitions of a row do not count."""
    by_source = {column.source_name: column.name for column in columns}
    if declared and all(name in by_source for name in declared):
        return Guess(tuple(by_source[name] for name in declared), "the database declares it as the primary key")
    rows = _rows(engine, sample)
    what = f"unique in {rows:,} rows" + (" of each day" if sample.days else "")
    what += " looked at" if not sample.is_whole else ""
    candidates = _candidates(columns, sample.rows)
    counts = {column.name: _distinct(engine, sample, [column]) for column in candidates}
    for size in range(1, MOST_IN_KEY + 1):
        for group in combinations(candidates, size):
            if size == 1 and group[0].data_type.value in ("timestamp", "date"):
                continue  # unique by chance
            if prod(counts[column.name] for column in group) < rows:
                continue
            if (size == 1 and counts[group[0].name] == rows) or (size > 1 and _distinct(engine, sample, group) == rows):
                return Guess(tuple(column.name for column in group), what)
        nearly = next(
            (column for column in candidates if ID.search(column.name) and counts[column.name] >= NEARLY * rows), None
        )
        if size == 1 and nearly:
            more = rows - counts[nearly.name]
            ask = f"{more:,} of {rows:,} rows have a {nearly.name} that another has too: versions of one row, or is more in the key?"
            return Guess((nearly.name,), "", ask)
    nearest = max(candidates, key=lambda column: counts[column.name], default=None)
    said = f"; {nearest.name} comes nearest, with {counts[nearest.name] / rows:.1%}" if nearest else ""
    return Guess(
        (), "", f"no set of up to {MOST_IN_KEY} columns is unique{said}: say what names a row, if anything does"
    )


def _rows(engine: duckdb.DuckDBPyConnection, sample: Sample) -> int:
    row = engine.execute(f"select count(*) from (select distinct * from {sample.name})").fetchone()
    return int(row[0]) if row else 0


def _candidates(columns: Sequence[ColumnFound], rows: int) -> list[ColumnFound]:
    """Columns that may be part of a key, likely ones first: always there, no measure, no sentence."""

    def rank(column: ColumnFound) -> tuple[int, int]:
        is_first = columns.index(column) == 0
        if column.name in ("id", "key", "uuid") or (column.name.endswith("_id") and is_first):
            return 0, 0
        place = 1 if column.name.endswith("_id") else 2 if ID.search(column.name) or is_first else 3
        return place, columns.index(column)

    fit = [
        column
        for column in columns
        if column.filled == rows
        and (column.distinct > 1 or rows == 1)
        and not column.data_type.value.startswith(("decimal", "double", "boolean"))
        and column.pii.value in (None, "id", "email")
    ]
    return sorted(fit, key=rank)[:MOST_CANDIDATES]


def _distinct(engine: duckdb.DuckDBPyConnection, sample: Sample, group: Sequence[ColumnFound]) -> int:
    listed = ", ".join(identifier(column.source_name) for column in group)
    row = engine.execute(f"select count(*) from (select distinct {DAY}, {listed} from {sample.name})").fetchone()
    return int(row[0]) if row else 0


def find_event_time(columns: Sequence[ColumnFound]) -> Guess[str | None]:
    """The column that says when: of changes rather than of what happened, always filled rather than not."""
    times = [column for column in columns if column.data_type.value in ("timestamp", "date")]
    if not times:
        return Guess(None)

    def rank(column: ColumnFound) -> tuple[int, int, int]:
        place = 0 if CHANGED.search(column.name) else 1 if HAPPENED.search(column.name) else 2
        return (not column.required.value, place, column.data_type.value == "date")

    first, *others = sorted(times, key=rank)
    why = "the only column of a time" if not others else "its name, and it is always filled"
    if others and rank(first) == rank(others[0]):
        ask = f"{first.name} or {others[0].name}: which one says that a row is new or changed?"
        return Guess(first.name, "the first of its kind", ask)
    return Guess(first.name, why if first.required.value else "its name; it is not always filled")


def find_mode(
    engine: duckdb.DuckDBPyConnection,
    sample: Sample,
    columns: Sequence[ColumnFound],
    key: Sequence[str],
    event_time: str | None,
) -> Guess[str]:
    """Snapshot, append or upsert: from what two files of different days have in common, else from names, with a question."""
    by_name = {column.name: column for column in columns}
    if len(sample.days) > 1:
        return _mode_of_days(engine, sample, [by_name[name] for name in key], event_time and by_name[event_time])
    if event_time is None:
        return Guess("snapshot", "no column of a time: the whole table each day")
    ask = "one state of a source does not show it: do rows change later (upsert), never (append), or is it read whole (snapshot)?"
    if CHANGED.search(event_time):
        return Guess("upsert", f"{event_time} says when a row changed", ask) if key else Guess("snapshot", "", ask)
    if by_name[event_time].required.value and HAPPENED.search(event_time):
        return Guess("append", f"each row has a moment at which it happened, {event_time}", ask)
    return Guess("snapshot", f"{event_time} does not say when a row came or changed", ask)


def _mode_of_days(
    engine: duckdb.DuckDBPyConnection, sample: Sample, key: Sequence[ColumnFound], event_time: ColumnFound | str | None
) -> Guess[str]:
    listed = ", ".join(identifier(column.source_name) for column in key) or "* exclude (" + DAY + ")"
    first, second = (f"date '{day.isoformat()}'" for day in sample.days[:2])
    row = engine.execute(
        f"select count(*), (select count(*) from (select {listed} from {sample.name} where {DAY} = {first})) from (select "
        f"{listed} from {sample.name} where {DAY} = {first} intersect select {listed} from {sample.name} where {DAY} = {second})"
    ).fetchone() or (0, 1)
    again = int(row[0]) / max(int(row[1]), 1)
    what = "keys" if key else "rows"
    days = f"{sample.days[0]} are there again on {sample.days[1]}"
    if again >= 0.5:
        return Guess("snapshot", f"{again:.1%} of the {what} of {days}")
    if not isinstance(event_time, ColumnFound):
        return Guess(
            "snapshot", f"{again:.1%} of the {what} of {days}", "no column of a time: is each file whole, or new rows?"
        )
    if again > 0 and key:
        ask = "rows that change (upsert), or repeated ones (append)?"
        return Guess("upsert", f"{again:.1%} of the keys of {days}", ask)
    return Guess(
        "append",
        f"no key of {sample.days[0]} is there again on {sample.days[1]}"
        if key
        else f"{again:.1%} of the rows of {days}",
    )

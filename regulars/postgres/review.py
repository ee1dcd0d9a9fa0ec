"""Review of mappings in a tab: decisions out of it by every run, and mappings into it when somebody asks.

A tab keeps saying what it said, so its decisions are dated: one that stands there as at the last look is as old as it was
then, and a later one from elsewhere holds. `mapping.review_rows` remembers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg

from regulars.cleansing.decisions import Decision, read_decisions
from regulars.cleansing.review_tab import Key, ReviewTab, edits, key_of, said
from regulars.postgres.mapping_review import Decided, export_mappings, list_mappings, stored_rules, take_over
from regulars.postgres.mapping_tables import ensure_tables, lock_rules
from regulars.sources.base import Request
from regulars.sources.review_tab import read_review, write_again, write_review

TRIES = 3  # of writing into a tab that people type in
REMEMBER = """
insert into mapping.review_rows as r select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
on conflict (column_name, raw) do update
set said = excluded.said, decided_by = excluded.decided_by, said_at = excluded.said_at, seen_at = excluded.seen_at
"""


@dataclass(frozen=True)
class Remembered:
    """What a row said, who it named, and since when."""

    said: str
    decided_by: str
    said_at: datetime


@dataclass(frozen=True)
class Reviewed:
    """What the tab's decisions changed; `overruled` are rows that say otherwise than a later decision, which holds."""

    decided: Decided
    overruled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """What was taken over from the tab before, how many mappings it has now, and how many cells were written."""

    reviewed: Reviewed
    mappings: int
    cells: int


def take_over_review(
    connection: psycopg.Connection[Any], tab: ReviewTab, *, by: str | None = None, at: datetime, unseen: bool = False
) -> Reviewed:
    """Take over the decisions in the tab, all or none, as `import_decisions` does those of a file.

    A decision is dated `at`, when it is first seen, or by its own decided_at; what was decided elsewhere since the tab
    was last looked at holds, because nobody can tell which was first. Who decided is the row's decided_by, or `by` (default: the name
    of the tab). Raises ContractError with place, row and column.
    """
    ensure_tables(connection)
    records = dict(tab.records())
    with connection.transaction():
        lock_rules(connection)
        given = read_decisions(records.items(), stored_rules(connection), tab.place, unit="row")
        known, last_look = _remembered(connection)
        stored = {(row["column"], row["raw"]): row for row in list_mappings(connection) if row["decided_at"]}
        who, decisions, overruled = by or tab.name, [], []
        for one in given:
            key, record = (one.column, one.raw), records[one.line]
            other = stored.get(key)
            later = other["decided_at"] if other else None
            dated = _dated(one, said(record), known.get(key), last_look, later, who, at)
            decisions.append(dated)
            if other and later and dated.decided_at and later > dated.decided_at and _differs(one, other):
                overruled.append(
                    f"row {one.line}: {one.column} {one.raw!r} stays {other['status']}, as {other['decided_by']} decided "
                    f"at {later:%Y-%m-%d %H:%M} UTC, later than this row"
                )
        decided = take_over(connection, decisions, tab.place, by=who, at=at, unseen=unseen, unit="row")
        connection.execute("update mapping.review_rows set seen_at = %s", [at])
        _remember(connection, {(one.column, one.raw): _memory(one, records[one.line], at) for one in decisions}, at)
    return Reviewed(decided, tuple(overruled))


def show_review(connection: psycopg.Connection[Any], request: Request, *, at: datetime, **asked: Any) -> Shown:
    """Write mappings (those that `list_mappings` gives for `asked`, and all that have a row) into the tab.

    What people decided there is taken over first; a tab that is edited meanwhile is read again. Raises ContractError for a
    wrong row, and nothing is written then; TransientError where it is edited each time.
    """
    for _ in range(TRIES):
        tab = read_review(request)
        reviewed = take_over_review(connection, tab, at=at)
        mappings = {key_of(record): record for record in export_mappings(connection)}
        wanted = [key_of(record) for record in export_mappings(connection, **asked)]
        rows = {key for _, record in tab.records() if (key := key_of(record)) in mappings} | set(wanted)
        known, _ = _remembered(connection)
        cells = edits(tab, mappings, wanted, {key: memory.said for key, memory in known.items()})
        if cells and not write_review(request, tab, cells):
            continue
        with connection.transaction():
            connection.execute("delete from mapping.review_rows")
            _remember(connection, {key: _written(mappings[key], at) for key in rows}, at)
        return Shown(reviewed, len(rows), len(cells))
    raise write_again(tab.place)


def _dated(
    decision: Decision, text: str, known: Remembered | None, last_look: datetime | None, later: datetime | None,
    by: str, at: datetime,
) -> Decision:  # fmt: skip
    """The decision with who and when."""
    if known and known.said == text:
        return replace(decision, decided_by=decision.decided_by or by, decided_at=known.said_at)
    if known is None and decision.decided_at:
        return replace(decision, decided_at=min(decision.decided_at, at))
    is_named = decision.decided_by and not (known and known.decided_by == decision.decided_by)
    when = last_look if last_look and later and later > last_look else at
    return replace(decision, decided_by=decision.decided_by if is_named else by, decided_at=when)


def _differs(decision: Decision, stored: Mapping[str, Any]) -> bool:
    value = stored.get("canonical", stored.get("number"))
    return decision.status != stored["status"] or (decision.status == "approved" and decision.value != value)


def _remembered(connection: psycopg.Connection[Any]) -> tuple[dict[Key, Remembered], datetime | None]:
    """What rows said, and when the tab was last looked at (None: never)."""
    rows = connection.execute("select column_name, raw, said, decided_by, said_at, seen_at from mapping.review_rows")
    known, last = {}, None
    for column, raw, text, by, since, seen in rows:
        known[column, raw] = Remembered(text, by, since)
        last = max(seen, last) if last else seen
    return known, last


def _memory(decision: Decision, record: Mapping[str, str], at: datetime) -> Remembered:
    return Remembered(said(record), (record.get("decided_by") or "").strip(), decision.decided_at or at)


def _written(mapping: Mapping[str, str], at: datetime) -> Remembered:
    since = datetime.fromisoformat(mapping["decided_at"]) if mapping["decided_at"] else at
    return Remembered(said(mapping), mapping["decided_by"], since)


def _remember(connection: psycopg.Connection[Any], rows: Mapping[Key, Remembered], at: datetime) -> None:
    found: Sequence[tuple[Any, ...]] = [(*key, one.said, one.decided_by, one.said_at, at) for key, one in rows.items()]
    if found:
        connection.execute(REMEMBER.encode(), [list(column) for column in zip(*found, strict=True)])

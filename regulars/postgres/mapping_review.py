"""Reviewing mapping tables: listing, approving, rejecting, and decisions out of and into files.

Each function works in one transaction of its own (or in the caller's), and waits for a run that is proposing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from regulars.cleansing.decisions import FIELDS, NULL, Decision, decide, read_decisions
from regulars.cleansing.rules import MappingRule
from regulars.errors import ConfigError, ContractError
from regulars.postgres.mapping_tables import TABLES, ensure_tables, lock_rules

LIST = """
select column_name as "column", kind, raw, canonical, number, status, confidence, rule, seen_count,
  first_seen, last_seen, decided_by, decided_at, threshold, is_usable
from mapping.review
where (%(column)s::text is null or column_name = %(column)s)
  and (%(status)s::text is null or status = %(status)s)
  and (%(raw)s::text is null or raw = %(raw)s)
  and not (%(waiting)s and is_usable)
order by column_name, raw
limit %(limit)s
"""
APPROVE_ALL = """
update {table} set status = 'approved', decided_by = %(by)s, decided_at = %(at)s
where status = 'proposed' and confidence > 0 and confidence >= %(least)s
  and (%(column)s::text is null or column_name = %(column)s)
  and column_name in (select column_name from mapping.rules where kind = %(kind)s)
"""
DECIDED = """
drop table if exists pg_temp.mapping_decided;
create temporary table mapping_decided (
  column_name text, raw text, value {type}, status text, decided_by text, decided_at timestamptz, line bigint
)
"""
UNSEEN = """
select d.line, d.column_name, d.raw from mapping_decided as d
where not exists (select from {table} as m where m.column_name = d.column_name and m.{raw} = d.raw)
order by d.line limit 1
"""
# A record that bears the time of the store's own decision was exported from it, and is edited now.
TAKE_OVER = """
insert into {table} as m
  (column_name, {raw}, {value}, status, confidence, rule, seen_count, decided_by, decided_at)
select column_name, raw, value, status, 0, 'by_hand', 0, coalesce(decided_by, %(by)s), coalesce(decided_at, %(at)s)
from mapping_decided
on conflict (column_name, {raw}) do update set
  {value} = case when excluded.status = 'approved' then excluded.{value} else m.{value} end,
  status = excluded.status,
  decided_by = case when excluded.decided_at = m.decided_at then %(by)s else excluded.decided_by end,
  decided_at = case when excluded.decided_at = m.decided_at then %(at)s else excluded.decided_at end
where (m.decided_at is null or excluded.decided_at >= m.decided_at)
  and (m.status <> excluded.status or (excluded.status = 'approved' and m.{value} is distinct from excluded.{value}))
returning status
"""


@dataclass(frozen=True)
class Decided:
    """What a call changed: values approved and rejected; `unchanged` were decided so before, or later otherwise."""

    approved: int = 0
    rejected: int = 0
    unchanged: int = 0


def list_mappings(
    connection: psycopg.Connection[Any],
    *,
    column: str | None = None,
    raw: str | None = None,
    status: str | None = None,
    waiting: bool = False,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Mappings of both kinds by column and raw value, as records of FIELDS with `threshold` and `is_usable`; a record
    has `canonical` or `number`, as its kind is. `waiting`: only what is not usable."""
    ensure_tables(connection)
    asked = {"column": column, "raw": raw, "status": status, "waiting": waiting, "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(LIST, asked).fetchall()
    for row in rows:
        del row["canonical" if row["kind"] == "numbers" else "number"]
    return rows


def approve(
    connection: psycopg.Connection[Any], column: str, raw: str, *, value: str | None = None, by: str, at: datetime
) -> Decided:
    """Approve what is proposed for a raw value, or `value` instead (a word, a number, `(null)`).

    Raises ConfigError where the value is unknown, nothing is proposed, or `value` does not fit the column's contract.
    """
    return _decide(connection, column, raw, "approved", value, by, at)


def reject(connection: psycopg.Connection[Any], column: str, raw: str, *, by: str, at: datetime) -> Decided:
    """Rows with this raw value wait in quarantine until it is approved, or the sheet is corrected."""
    return _decide(connection, column, raw, "rejected", None, by, at)


def approve_all(
    connection: psycopg.Connection[Any], least: Decimal, *, column: str | None = None, by: str, at: datetime
) -> Decided:
    """Approve every proposal that has a value and at least this confidence."""
    ensure_tables(connection)
    approved = 0
    with connection.transaction():
        lock_rules(connection)
        for kind, table in TABLES.items():
            facts = {"by": by, "at": at, "least": least, "column": column, "kind": kind}
            approved += connection.execute(table.named(APPROVE_ALL), facts).rowcount
    return Decided(approved=approved)


def export_mappings(connection: psycopg.Connection[Any], **asked: Any) -> Iterator[dict[str, str]]:
    """Records of FIELDS as text, for a CSV file or a spreadsheet tab; takes what `list_mappings` takes."""
    for row in list_mappings(connection, **asked):
        found = row.get("canonical", row.get("number"))
        has_value = row["status"] == "approved" or row["confidence"] > 0
        row["number" if row["kind"] == "numbers" else "canonical"] = (
            (NULL if found is None else found) if has_value else None
        )
        yield {name: _cell(row.get(name)) for name in FIELDS}


def import_decisions(
    connection: psycopg.Connection[Any],
    records: Iterable[tuple[int, Mapping[str, str]]],
    place: str,
    *,
    by: str,
    at: datetime,
    unseen: bool = False,
) -> Decided:
    """Take over the decisions in records of FIELDS: all of them, or none.

    A record's own decided_by and decided_at count where it has them (another store's), else `by` and `at`; a decision
    that is later than the record's stays. `unseen` allows raw values that this store has not met, so that they are
    decided when they come. Raises ContractError with place, line and column.
    """
    ensure_tables(connection)
    with connection.transaction():
        lock_rules(connection)
        decisions = read_decisions(records, stored_rules(connection), place)
        return take_over(connection, decisions, place, by=by, at=at, unseen=unseen)


def stored_rules(connection: psycopg.Connection[Any]) -> dict[str, MappingRule]:
    """Rules of all columns, as the last run of each wrote them from its contract."""
    rows = connection.execute("select column_name, kind, vocabulary, abbreviations, threshold from mapping.rules")
    return {
        column: MappingRule(
            mapping=kind,
            vocabulary=tuple(vocabulary) if isinstance(vocabulary, list) else vocabulary,
            abbreviations=abbreviations,
            threshold=threshold,
        )
        for column, kind, vocabulary, abbreviations, threshold in rows
    }


def _decide(
    connection: psycopg.Connection[Any], column: str, raw: str, status: str, value: str | None, by: str, at: datetime
) -> Decided:
    ensure_tables(connection)
    with connection.transaction():
        lock_rules(connection, [column])
        if value is None and status == "approved":
            found = list(export_mappings(connection, column=column, raw=raw))
            value = (found[0]["canonical"] or found[0]["number"]) if found else ""
        try:
            decision = decide(column, raw, status, value or "", stored_rules(connection))
        except ValueError as error:
            raise ConfigError(
                f"column {column}, raw {raw!r}: {error}",
                remedy="`regulars mappings list` shows what there is; approve with --as VALUE",
            ) from None
        return take_over(connection, [decision], f"column {column}", by=by, at=at)


def take_over(
    connection: psycopg.Connection[Any], decisions: Sequence[Decision], place: str, *, by: str, at: datetime,
    unseen: bool = False, unit: str = "line",
) -> Decided:  # fmt: skip
    """Decisions that were checked, into the tables; within a transaction that holds the rules (`lock_rules`)."""
    kinds = {column: rule.mapping for column, rule in stored_rules(connection).items()}
    changed: list[str] = []
    for kind, table in TABLES.items():
        connection.execute(sql.SQL(DECIDED).format(type=sql.SQL(table.type)))
        _copy(connection, [decision for decision in decisions if kinds[decision.column] == kind])
        if not unseen and (found := connection.execute(table.named(UNSEEN)).fetchone()):
            line, column, raw = found
            raise _never_seen(f"{place}: {unit} {line}" if line else place, column, raw)
        changed += [status for (status,) in connection.execute(table.named(TAKE_OVER), {"by": by, "at": at})]
        connection.execute("drop table pg_temp.mapping_decided")
    approved = changed.count("approved")
    return Decided(approved, len(changed) - approved, len(decisions) - len(changed))


def _copy(connection: psycopg.Connection[Any], decisions: Iterable[Decision]) -> None:
    with connection.cursor() as cursor, cursor.copy("copy mapping_decided from stdin") as copy:
        for one in decisions:
            copy.write_row((one.column, one.raw, one.value, one.status, one.decided_by, one.decided_at, one.line))


def _never_seen(place: str, column: str, raw: str) -> ContractError:
    return ContractError(
        f"{place}: raw: {raw!r} was never seen in column {column}",
        remedy="a spreadsheet may have changed the cell: copy it from `regulars mappings list`; "
        "or allow values that are still to come with --unseen",
    )


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return "" if value is None else str(value)

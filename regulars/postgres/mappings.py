"""Mapping tables: each distinct raw value of a mapped column gets a proposal, once, and people's decisions stay.

Values are counted and compared inside PostgreSQL; only those that need a proposal are read, and proposals go back by
COPY and one merge. What the tables say depends on which values were ever seen, on the contract and on decisions, never
on the order of rows or runs. Reviewing is in `mapping_review`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from regulars.cleansing.numbers import propose_numbers
from regulars.cleansing.proposals import Proposal, rules_version
from regulars.cleansing.rules import MappingRule
from regulars.cleansing.separators import habit_of
from regulars.cleansing.words import Vocabulary, propose_words
from regulars.postgres.mapping_tables import TABLES, MappingTable, ensure_tables
from regulars.run import Run

LONGEST_BYTES = 2000  # of a raw value: an index entry of PostgreSQL holds 2,704 bytes

WRITE_RULE = """
insert into mapping.rules as r (column_name, kind, threshold, vocabulary, abbreviations) values (%s, %s, %s, %s, %s)
on conflict (column_name) do update set kind = excluded.kind, threshold = excluded.threshold,
  vocabulary = excluded.vocabulary, abbreviations = excluded.abbreviations
returning basis
"""
SEE = """
drop table if exists pg_temp.mapping_seen, pg_temp.mapping_proposed;
create temporary table mapping_seen as select {column} as raw, count(*) as seen from {source} where {column} is not null group by 1;
create temporary table mapping_proposed (raw text primary key, value {type}, confidence numeric(4, 3), rule text)
"""
# Undecided values whose proposal must be made anew: all after a change of the rules, else those that lean on others.
STALE = "status = 'proposed' and (%(anew)s or rule like 'ambiguous_separator%%' or rule like '%%+currency %%')"
ASKED = f"""
select raw, true as is_new from mapping_seen
where octet_length(raw) <= %(longest)s
  and not exists (select from {{table}} where column_name = %(column)s and {{raw}} = mapping_seen.raw)
union all
select {{raw}}, false from {{table}} where column_name = %(column)s and {STALE}
"""
SETTLED_RULES = f"select rule, count(*) from {{table}} where column_name = %(column)s and not ({STALE}) group by rule"
LEARNED = """
select distinct canonical_value from mapping.word_mapping
where column_name = %s and status = 'approved' and canonical_value is not null
"""
MERGE = """
insert into {table} as m
  (column_name, {raw}, {value}, status, confidence, rule, first_seen, last_seen, seen_count)
select %(column)s, raw, p.value, 'proposed', coalesce(p.confidence, 0), coalesce(p.rule, ''),
  case when seen > 0 then %(at)s end, case when seen > 0 then %(at)s end, coalesce(seen, 0)
from mapping_seen as s
full outer join mapping_proposed as p using (raw)
where octet_length(raw) <= %(longest)s
on conflict (column_name, {raw}) do update set
  {value} = case when m.status = 'proposed' and excluded.rule <> '' then excluded.{value} else m.{value} end,
  confidence = case when m.status = 'proposed' and excluded.rule <> '' then excluded.confidence else m.confidence end,
  rule = case when m.status = 'proposed' and excluded.rule <> '' then excluded.rule else m.rule end,
  first_seen = least(m.first_seen, excluded.first_seen),
  last_seen = greatest(m.last_seen, excluded.last_seen),
  seen_count = case
    when m.last_seen is null or excluded.last_seen > m.last_seen then excluded.seen_count
    when excluded.last_seen = m.last_seen then greatest(m.seen_count, excluded.seen_count)
    else m.seen_count
  end
"""
COUNT = """
select count(*), coalesce(sum(seen) filter (where u.column_name is null), 0)::bigint,
  count(*) filter (where u.column_name is null), count(*) filter (where octet_length(s.raw) > %(longest)s)
from mapping_seen as s
left join {usable} as u on u.column_name = %(column)s and u.{raw} = s.raw
"""


@dataclass(frozen=True)
class Proposed:
    """What one run found in one column. Counts are of distinct values, but `rows_waiting`: rows whose value is not
    usable yet. `values_too_long` (over 2,000 bytes) are among those waiting, and cannot be mapped."""

    column: str
    values: int
    values_new: int
    values_waiting: int
    rows_waiting: int
    values_too_long: int


def propose(
    connection: psycopg.Connection[Any], table: str, columns: Mapping[str, MappingRule], run: Run
) -> tuple[Proposed, ...]:
    """Bring the mapping tables up to what `table` (`schema.name`) holds in these text columns, in one transaction.

    Null cells are not values; an empty text is one. Several calls at once wait for each other, by column. Raises
    psycopg's errors; `store_errors` around the connection makes them ours.
    """
    ensure_tables(connection)
    with connection.transaction():
        return tuple(
            _propose_column(connection, table, name, columns[name], run.started_at.replace(tzinfo=UTC))
            for name in sorted(columns)
        )


def _propose_column(
    connection: psycopg.Connection[Any], source: str, column: str, rule: MappingRule, at: datetime
) -> Proposed:
    target = TABLES[rule.mapping]
    old_basis = _write_rule(connection, column, rule)  # holds the column's row until the transaction ends
    connection.execute(
        sql.SQL(SEE).format(
            column=sql.Identifier(column), source=sql.Identifier(*source.split(".")), type=sql.SQL(target.type)
        )
    )
    vocabulary = _vocabulary(connection, column, rule) if rule.mapping == "words" else None
    basis = _basis(rule, vocabulary)
    facts = {"column": column, "at": at, "longest": LONGEST_BYTES, "anew": old_basis != basis}
    found = connection.execute(target.named(ASKED), facts).fetchall()
    asked = [raw for raw, _ in found]
    if vocabulary is not None:
        proposals: Sequence[Proposal[Any]] = propose_words(asked, vocabulary)
    else:
        settled = habit_of(connection.execute(target.named(SETTLED_RULES), facts))
        proposals = propose_numbers(asked, rule.factors, settled)  # with the settled ones: all that was ever seen
    _copy(connection, zip(asked, proposals, strict=True))
    connection.execute(target.named(MERGE), facts)
    connection.execute("update mapping.rules set basis = %s where column_name = %s", [basis, column])
    counted = connection.execute(_count(target, rule), facts).fetchall()
    connection.execute("drop table pg_temp.mapping_seen, pg_temp.mapping_proposed")
    values, rows_waiting, values_waiting, too_long = counted[0]
    return Proposed(column, values, sum(is_new for _, is_new in found), values_waiting, rows_waiting, too_long)


def _write_rule(connection: psycopg.Connection[Any], column: str, rule: MappingRule) -> str | None:
    vocabulary = None if rule.vocabulary is None else json.dumps(rule.vocabulary)
    facts = [column, rule.mapping, rule.threshold, vocabulary, json.dumps(rule.abbreviations)]
    row = connection.execute(WRITE_RULE, facts).fetchone()
    return row[0] if row else None


def _vocabulary(connection: psycopg.Connection[Any], column: str, rule: MappingRule) -> Vocabulary:
    if rule.vocabulary == "learned":
        words = {word for (word,) in connection.execute(LEARNED, [column])} | set(rule.abbreviations.values())
    else:
        words = set(rule.vocabulary or ())
    return Vocabulary(frozenset(words), rule.abbreviations)


def _basis(rule: MappingRule, vocabulary: Vocabulary | None) -> str:
    """What proposals of the column are made from, apart from raw values; 16 hex digits."""
    words = sorted(vocabulary.words) if vocabulary else []
    facts = [rules_version(), rule.mapping, words, sorted(rule.abbreviations.items())]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _copy(connection: psycopg.Connection[Any], found: Iterable[tuple[str, Proposal[Any]]]) -> None:
    with connection.cursor() as cursor, cursor.copy("copy mapping_proposed from stdin") as copy:
        for raw, proposal in found:
            copy.write_row((raw, proposal.value, proposal.confidence, proposal.rule))


def _count(target: MappingTable, rule: MappingRule) -> sql.Composed:
    usable = sql.Identifier("mapping", f"usable_{rule.mapping}")
    return sql.SQL(COUNT).format(usable=usable, raw=sql.Identifier(target.raw))

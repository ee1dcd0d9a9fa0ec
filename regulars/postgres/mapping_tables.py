"""Tables and views of the schema `mapping`, in PostgreSQL. docs/mappings.md says what each column means."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from regulars.cleansing.proposals import USABLE, Kind


@dataclass(frozen=True)
class MappingTable:
    """Names in the table of one kind: the raw value, what it means, and the type of that."""

    name: str
    raw: str
    value: str
    type: str

    def named(self, statement: str) -> sql.Composed:
        """The statement with {table}, {raw} and {value} in place."""
        return sql.SQL(statement).format(
            table=sql.Identifier("mapping", self.name), raw=sql.Identifier(self.raw), value=sql.Identifier(self.value)
        )


TABLES: dict[Kind, MappingTable] = {
    "words": MappingTable("word_mapping", "raw_value", "canonical_value", "text"),
    "numbers": MappingTable("number_mapping", "raw_text", "number", "numeric"),
}

RULES = """
create schema if not exists mapping;
create table if not exists mapping.rules (
  column_name text primary key,
  kind text not null check (kind in ('words', 'numbers')),
  threshold numeric(4, 3) not null check (threshold > 0.5 and threshold <= 1),
  vocabulary jsonb,
  abbreviations jsonb not null,
  basis text
);
"""
TABLE = """
create table if not exists mapping.{name} (
  column_name text not null,
  {raw} text not null,
  {value} {type},
  status text not null check (status in ('approved', 'proposed', 'rejected')),
  confidence numeric(4, 3) not null check (confidence between 0 and 1),
  rule text not null,
  first_seen timestamptz,
  last_seen timestamptz,
  seen_count bigint not null check (seen_count >= 0),
  decided_by text,
  decided_at timestamptz,
  primary key (column_name, {raw}),
  check ((status = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null))
);
create or replace view mapping.usable_{kind} as
select m.column_name, m.{raw}, m.{value}, m.status, m.confidence, m.rule, m.status = 'proposed' as is_proposal
from mapping.{name} as m
inner join mapping.rules as r on m.column_name = r.column_name and r.kind = '{kind}'
where {usable};
"""
REVIEW = """
create or replace view mapping.review as
select m.*, r.threshold, {usable} as is_usable
from (
  select column_name, 'words' as kind, raw_value as raw, canonical_value as canonical, null::numeric as number,
    status, confidence, rule, seen_count, first_seen, last_seen, decided_by, decided_at
  from mapping.word_mapping
  union all
  select column_name, 'numbers', raw_text, null, number,
    status, confidence, rule, seen_count, first_seen, last_seen, decided_by, decided_at
  from mapping.number_mapping
) as m
inner join mapping.rules as r on m.column_name = r.column_name and m.kind = r.kind;
"""


# What the tab of a review was last seen, or written, to say: by it an edit is told from a decision of before.
REVIEW_ROWS = """
create table if not exists mapping.review_rows (
  column_name text not null,
  raw text not null,
  said text not null,
  decided_by text not null,
  said_at timestamptz not null,
  seen_at timestamptz not null,
  primary key (column_name, raw)
);
"""


def definition() -> str:
    """Every statement that makes the schema."""
    tables = [
        TABLE.format(kind=kind, name=table.name, raw=table.raw, value=table.value, type=table.type, usable=USABLE)
        for kind, table in TABLES.items()
    ]
    return "".join([RULES, *tables, REVIEW.format(usable=USABLE), REVIEW_ROWS])


def ensure_tables(connection: psycopg.Connection[Any]) -> None:
    """Make schema, tables and views where they are not as this version defines them; what they hold stays.

    Nothing is locked where all is there: views that dbt is reading are not made again.
    """
    text = definition()
    digest = f"regulars {hashlib.sha256(text.encode()).hexdigest()[:16]}"
    found = connection.execute("select obj_description(to_regnamespace('mapping'))").fetchone()
    if found == (digest,):
        return
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('regulars mapping'))")
        connection.execute(text)
        connection.execute(sql.SQL("comment on schema mapping is {}").format(sql.Literal(digest)))


def lock_rules(connection: psycopg.Connection[Any], columns: list[str] | None = None) -> None:
    """Until the transaction ends, nobody else proposes or decides for these columns (None: for any)."""
    connection.execute(
        "select 1 from mapping.rules where %(names)s::text[] is null or column_name = any(%(names)s) "
        "order by column_name for update",
        {"names": columns},
    )

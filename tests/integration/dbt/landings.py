"""A warehouse file with raw tables and the relations of ops that dbt reads, filled with batches that a test made up."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from regulars.contracts import Contract, read_contracts
from regulars.ledger import OPS_TABLES
from regulars.result_tables import RESULT_TABLES
from regulars.stages import read_stages

PROJECT = Path(__file__).parents[3] / "dbt" / "warehouse"
ALL_CONTRACTS: dict[str, Contract] = read_contracts(PROJECT / "models" / "staging")
STAGES = read_stages(PROJECT, ALL_CONTRACTS)
CONTRACTS = {table: ALL_CONTRACTS[table] for table in STAGES["loyalty"].tables}
LOYALTY = ("--select", *STAGES["loyalty"].select, *STAGES["segments"].select)  # what dbt builds of the loyalty merge
SALES = ("--select", *STAGES["sales"].select)
ENGAGEMENT = ("--select", *STAGES["engagement"].select)
Row = dict[str, Any]

EFFECTIVE_BATCHES = """
create or replace view ops.effective_batches as
with loaded as (select distinct table_name, as_of, revision, scope, batch_id, rows_loaded from ops.ingestion_logs where status = 'loaded'),
newest as (select table_name, as_of, max(revision) filter (scope = 'full') as revision from loaded group by all),
effective as (
    select loaded.* from loaded join newest using (table_name, as_of)
    where case when loaded.scope = 'full' then loaded.revision = newest.revision else loaded.revision > coalesce(newest.revision, 0) end
),
days as (select table_name, as_of, lead(as_of) over (partition by table_name order by as_of) as next_as_of
         from (select distinct table_name, as_of from effective))
select effective.*, days.next_as_of from effective join days using (table_name, as_of)
"""


@dataclass(frozen=True)
class Batch:
    """Rows of one table and day; `rows` hold contract columns (and pseudonyms), absent ones are null."""

    table: str
    as_of: date
    rows: tuple[Row, ...]
    revision: int = 1
    scope: str = "full"

    @property
    def batch_id(self) -> str:
        facts = json.dumps([self.table, self.as_of, self.revision, self.scope, self.rows], default=str)
        return hashlib.sha256(facts.encode()).hexdigest()[:20]


@dataclass
class Warehouse:
    """A DuckDB file that stays open, as the library keeps it open while dbt works on it in the same process."""

    path: Path
    con: duckdb.DuckDBPyConnection = field(init=False)

    def __post_init__(self) -> None:
        self.con = duckdb.connect(str(self.path))
        for schema in ("raw", "ops"):
            self.con.execute(f"create schema {schema}")
        self.con.execute(
            """create table ops.ingestion_logs (table_name varchar, as_of date, revision bigint, scope varchar,
               batch_id varchar, status varchar, rows_loaded bigint)"""
        )
        self.con.execute(EFFECTIVE_BATCHES)
        made = dict(RESULT_TABLES) | {table: OPS_TABLES[table] for table in ("holdouts", "holdout_members")}
        for table, columns in made.items():
            self.con.execute(f"create table ops.{table} ({', '.join(f'{name} {kind}' for name, kind in columns)})")
        for contract in ALL_CONTRACTS.values():
            columns = ", ".join(f"{name} {kind}" for name, kind in contract.landed_columns)
            self.con.execute(
                f"create table raw.{contract.table} ({columns}, _record_number bigint, _as_of date, _batch_id varchar)"
            )

    def load(self, *batches: Batch) -> None:
        for batch in batches:
            batch_id = batch.batch_id  # a digest over all rows
            self.con.execute(
                "insert into ops.ingestion_logs values (?, ?, ?, ?, ?, 'loaded', ?)",
                [batch.table, batch.as_of, batch.revision, batch.scope, batch_id, len(batch.rows)],
            )
            if batch.rows:
                names = [name for name, _ in ALL_CONTRACTS[batch.table].landed_columns]
                marks = ", ".join("?" for _ in range(len(names) + 3))
                rows = [
                    [*map(row.get, names), number, batch.as_of, batch_id]
                    for number, row in enumerate(batch.rows, 1)
                ]
                self.con.executemany(f"insert into raw.{batch.table} values ({marks})", rows)

    def rows(self, query: str) -> list[Row]:
        result = self.con.execute(query)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, values, strict=True)) for values in result.fetchall()]

    def close(self) -> None:
        self.con.close()

"""A sample in PostgreSQL: the three departmental databases in the state of a day's evening."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import count, groupby
from urllib.parse import urlsplit

import duckdb
import psycopg

from regulars.contracts import Contract
from regulars.errors import TransientError
from regulars.postgres.copy_in import copy_in
from regulars.postgres.server import ensure_database
from regulars.sample.draws import sample_engine
from regulars.sample.faults import plan_faults
from regulars.sample.postgres_types import postgres_type
from regulars.sample.spec import SampleSpec
from regulars.sample.tables import TABLES, Variant, check_variant, day_rows, sample_contracts

Progress = Callable[[str, int, int], None]  # what is being loaded, steps done, steps in all
SLOPPY = {  # columns that the departments keep as text, so that anything can stand in them
    ("user_profile", "birth_year"), ("user_profile", "signed_up_on"), ("user_activity", "purchase_amount"),
    ("engagement_score", "engagement_score"), ("support_calls", "duration_seconds"),
}  # fmt: skip
LOCK = 7_310_250_114  # two loads of one database take turns


def load_day(
    spec: SampleSpec, day: date, postgres_uri: str, variant: Variant = "whole", *, progress: Progress | None = None
) -> dict[str, int]:
    """Bring dw_a, dw_b and dw_c (made where missing) to the state of the evening of `day`. Returns rows by table.

    `postgres_uri` names any database of the server. Snapshot tables are replaced, events appended, changed rows of
    upsert tables exchanged; each database in one transaction. The state depends on (spec, day, variant) alone: days may
    be loaded again or in any order (going back replays the days from the first). `shrunken` cuts the snapshot of
    user_profile short, `corrected` is the revised day after its correction; later days always hold the correction.
    Raises ConfigError for a day or variant that the sample lacks, TransientError where PostgreSQL does not answer.
    """
    index = spec.index_of(day)
    check_variant(spec, index, variant)
    contracts = sample_contracts()
    counts: dict[str, int] = {}
    started = count()

    def report(what: str) -> None:
        if progress:
            progress(what, next(started), len(TABLES))

    engine = sample_engine()
    try:
        for source, group in groupby(TABLES, key=lambda table: contracts[table].source):
            ensure_database(postgres_uri, source)
            with psycopg.connect(database_uri(postgres_uri, source), connect_timeout=10) as connection:
                loader = _Loader(spec, engine, connection, {table: contracts[table] for table in group})
                counts.update(loader.bring_to(index, variant, report))
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer: {str(error).strip()}", remedy="run again") from None
    finally:
        engine.close()
    report("done")
    return counts


def database_uri(postgres_uri: str, database: str) -> str:
    """The URL with another database in it; `postgresql://user@/name?host=/socket/folder` keeps its empty host."""
    parts = urlsplit(postgres_uri)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/{database}{query}"


def column_type(table: str, column: str, data_type: str) -> str:
    """The PostgreSQL type of a column of the departmental databases."""
    if (table, column) in SLOPPY:
        return "text"
    return postgres_type(data_type)


class _Loader:
    """One database, in one transaction."""

    def __init__(
        self,
        spec: SampleSpec,
        engine: duckdb.DuckDBPyConnection,
        connection: psycopg.Connection,
        tables: dict[str, Contract],
    ) -> None:
        self._spec, self._engine, self._connection, self._tables = spec, engine, connection, tables

    def bring_to(self, day: int, variant: Variant, report: Callable[[str], None]) -> dict[str, int]:
        self._execute("select pg_advisory_xact_lock(%s)", [LOCK])
        first = self._next_day()
        if first > day + 1 or first == 0:
            self._make_tables()
            first = 0
        for table, contract in self._tables.items():
            report(f"{table} {self._spec.day_at(day)}")
            if contract.mode == "snapshot":
                self._execute(f"delete from {table}")
                self._append(contract, day_rows(self._spec, table, day, variant))
                continue
            for index in range(first, day + 1):
                deliver = self._exchange if contract.mode == "upsert" else self._append
                deliver(contract, day_rows(self._spec, table, index))
        self._correct(day, variant)
        self._execute("delete from sample.state")
        self._execute("insert into sample.state values (%s, %s)", [self._spec.fingerprint(), day])
        return {table: self._count(table) for table in self._tables}

    def _next_day(self) -> int:
        """Index of the first day that is not in the database; 0 where it holds another sample or none."""
        self._execute("create schema if not exists sample")
        self._execute("create table if not exists sample.state (sample text not null, day int not null)")
        found = self._connection.execute(
            "select day + 1 from sample.state where sample = %s", [self._spec.fingerprint()]
        ).fetchone()
        return int(found[0]) if found else 0

    def _make_tables(self) -> None:
        for table, contract in self._tables.items():
            columns = ", ".join(f"{c.name} {column_type(table, c.name, c.data_type)}" for c in contract.columns)
            self._execute(f"drop table if exists {table}")
            self._execute(f"create table {table} ({columns})")
            searched = (contract.event_time,) if contract.mode == "append" else contract.key
            self._execute(f"create index on {table} ({', '.join(str(column) for column in searched)})")

    def _append(self, contract: Contract, query: str, table: str | None = None) -> None:
        copy_in(self._engine, query, self._connection, table or contract.table, list(contract.by_name))

    def _exchange(self, contract: Contract, query: str) -> None:
        """Put the rows in place of those with the same key."""
        table, incoming = contract.table, f"incoming_{contract.table}"
        self._execute(f"create table {incoming} (like {table})")
        self._append(contract, query, incoming)
        same = " and ".join(f"old.{column} = new.{column}" for column in contract.key)
        self._execute(f"delete from {table} old using {incoming} new where {same}")
        self._execute(f"insert into {table} select * from {incoming}")
        self._execute(f"drop table {incoming}")

    def _correct(self, day: int, variant: Variant) -> None:
        """Rows that the source corrected: as they are known on the evening of the day."""
        plan = plan_faults(self._spec)
        for (table, index), corrected in plan.corrections.items():
            if table not in self._tables or index > day:
                continue
            [key], columns = self._tables[table].key, list(self._tables[table].by_name)
            wrong = {str(record.get(key)): record for record in plan.edits[table, index].adds}
            for name, record in corrected.items():
                known = record if index < day or variant == "corrected" else wrong[name]
                self._execute(f"delete from {table} where {key} = %s", [name])
                marks = ", ".join(["%s"] * len(columns))
                self._execute(f"insert into {table} values ({marks})", [known.get(column) for column in columns])

    def _count(self, table: str) -> int:
        [(rows,)] = self._connection.execute(f"select count(*) from {table}").fetchall()
        return int(rows)

    def _execute(self, statement: str, values: Sequence[object] = ()) -> None:
        self._connection.execute(statement, values)

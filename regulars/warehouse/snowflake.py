"""The warehouse in one Snowflake database; `raw` and `quarantine` are tables that landed files are copied into."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self
from uuid import uuid4

import pyarrow as pa

from regulars.contracts import Contract
from regulars.errors import ConfigError, RegularsError, TransientError
from regulars.ledger import (
    EFFECTIVE_BATCHES,
    KNOWN_BATCHES,
    OPS_TABLES,
    REPLACE_BUILT_BATCH,
    RETIRE_BATCH,
    ingestion_row,
)
from regulars.manifest import Manifest
from regulars.run import Run
from regulars.settings import Settings
from regulars.snowflake_settings import LAYERS
from regulars.warehouse import snowflake_lock
from regulars.warehouse import snowflake_tables as tables
from regulars.warehouse.base import SCHEMAS, Loaded
from regulars.warehouse.snowflake_load import BatchLoader
from regulars.warehouse.snowflake_lock import RunLock
from regulars.warehouse.snowflake_publish import publish
from regulars.warehouse.snowflake_session import SnowflakeSessions, query_tag
from regulars.warehouse.snowflake_text import quote

QUOTED = "FIELD_OPTIONALLY_ENCLOSED_BY = '\"'"
UNLOADED = {
    "csv": f"TYPE = CSV {QUOTED} NULL_IF = ('') COMPRESSION = NONE TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF6'",
    "parquet": "TYPE = PARQUET",
}
READ_AGAIN = {"csv": f"TYPE = CSV SKIP_HEADER = 1 {QUOTED}", "parquet": "TYPE = PARQUET"}
IMPORTED = "imported_file"  # a temporary table of the session
LARGEST_FILE = 5 * 2**30  # of one file; Snowflake writes no larger one


class SnowflakeWarehouse:
    """Opening locks a row of `ops.run_lock`, waiting for another run up to `lock_timeout_seconds`."""

    def __init__(self, settings: Settings, run: Run | None = None) -> None:
        self._settings = settings
        self._run = run
        self._sessions = SnowflakeSessions(settings.snowflake, run)
        self._loader = BatchLoader(self._sessions, settings)
        self._lock: RunLock | None = None

    def __enter__(self) -> Self:
        self._sessions.__enter__()
        try:
            lock = RunLock(self._sessions.connect(snowflake_lock.SESSION))
            lock.take(self._settings.lock_timeout_seconds)
        except BaseException:
            self._sessions.__exit__()
            raise
        self._lock = lock
        return self

    def __exit__(self, *error: object) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        self._sessions.__exit__()

    def prepare(self, contracts: Mapping[str, Contract]) -> None:
        there = {name for (name,) in self.query("select lower(schema_name) from information_schema.schemata")}
        for schema in SCHEMAS:
            if schema not in there:  # a role that may not make any needs no more than to find them
                self.execute(f"create schema if not exists {schema}")
        self.execute("use schema ops")
        for statement in tables.ops_tables():
            self.execute(statement)
        self.execute(f"create or replace view ops.effective_batches as {EFFECTIVE_BATCHES}")
        self._keep_timezone()
        self._loader.make_stages()
        self._make_raw_tables(contracts)
        for statement in [*tables.quarantine_tables(), *tables.quarantine_views(sorted(contracts))]:
            self.execute(statement)

    def load(self, contract: Contract, manifests: Iterable[Manifest], run: Run, finished_at: datetime) -> Loaded:
        offered = [manifest for manifest in manifests if manifest.is_accepted]
        known = self.known_batches(contract.table)
        new = tuple(manifest for manifest in offered if manifest.batch_id not in known)
        for manifest in new:
            self._loader.upload(manifest)
        if new:
            with self.transaction():
                for manifest in new:
                    self._loader.copy(contract, manifest)
                self.record(
                    "ingestion_logs", [ingestion_row(m, run, status="loaded", finished_at=finished_at) for m in new]
                )
        for manifest in new:
            self._loader.forget_upload(manifest)
        return Loaded(contract.table, new, len(known))

    def unload(
        self,
        contract: Contract,
        batch_ids: Sequence[str],
        replaced_by: Manifest | None,
        run: Run,
        finished_at: datetime,
    ) -> None:
        if replaced_by is not None:
            self._loader.upload(replaced_by)
        with self.transaction():
            for batch_id in batch_ids:
                self.execute(RETIRE_BATCH, [batch_id])
                self._loader.delete(contract, batch_id)
            if replaced_by is not None:
                self._loader.copy(contract, replaced_by)
                self.record(
                    "ingestion_logs", [ingestion_row(replaced_by, run, status="loaded", finished_at=finished_at)]
                )
                for batch_id in batch_ids:
                    self.execute(REPLACE_BUILT_BATCH, [replaced_by.batch_id, batch_id])
        if replaced_by is not None:
            self._loader.forget_upload(replaced_by)

    def known_batches(self, table: str) -> set[str]:
        return {batch_id for (batch_id,) in self.query(KNOWN_BATCHES, [table])}

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._sessions.query(sql, parameters)

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        return self._sessions.arrow(sql, parameters)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        if self._lock is not None and self._lock.is_lost:
            raise TransientError(
                "the lock of runs was lost, because Snowflake could not be reached for a while",
                remedy="run again: nothing half-done was committed",
            )
        self._sessions.execute(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.execute("begin")
        try:
            yield
        except BaseException:
            with suppress(RegularsError):  # a session that was lost takes its transaction with it
                self._sessions.execute("rollback")
            raise
        self.execute("commit")

    def record(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        columns = [column for column, _ in OPS_TABLES[table]]
        listed, marks = ", ".join(tables.name(column) for column in columns), ", ".join("?" for _ in columns)
        self._sessions.execute_many(
            f"insert into ops.{table} ({listed}) values ({marks})",
            [[row.get(column) for column in columns] for row in rows],
        )

    def replace_records(self, table: str, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        with self.transaction():
            for row in rows:
                self.execute(f"delete from ops.{table} where {_same(key)}", [row[name] for name in key])
            self.record(table, rows)

    def record_missing(self, table: str, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        with self.transaction():
            known = f"select 1 from ops.{table} where {_same(key)}"
            self.record(table, [row for row in rows if not self.query(known, [row[name] for name in key])])

    def export(self, sql: str, path: Path, format: Literal["csv", "parquet"]) -> int:
        place = f"@{tables.UPLOADS}/out/{uuid4().hex}"
        ((rows, *_),) = self.query(
            f"copy into {place}/{path.name} from ({sql}) FILE_FORMAT = ({UNLOADED[format]}) HEADER = TRUE SINGLE = TRUE "
            f"OVERWRITE = TRUE MAX_FILE_SIZE = {LARGEST_FILE}"
        )
        self.execute(f"get {place}/{path.name} {quote(f'file://{path.parent}/')}")
        self.execute(f"remove {place}")
        return int(rows)

    def import_file(self, path: Path, columns: Sequence[str], format: Literal["csv", "parquet"]) -> str:
        place = f"@{tables.UPLOADS}/in/{uuid4().hex}"
        listed = ", ".join(f"{tables.name(column)} varchar" for column in columns)
        cells = (f"${n}" if format == "csv" else f"$1:{name}::varchar" for n, name in enumerate(columns, start=1))
        self.execute(f"put {quote(f'file://{path}')} {place} auto_compress = false overwrite = true")
        self.execute(f"create or replace temporary table {IMPORTED} ({listed})")
        self.execute(
            f"copy into {IMPORTED} from (select {', '.join(cells)} from {place}) FILES = ({quote(path.name)}) "
            f"FILE_FORMAT = ({READ_AGAIN[format]}) ON_ERROR = ABORT_STATEMENT FORCE = TRUE"
        )
        self.execute(f"remove {place}")
        return IMPORTED

    def publish(self, schemas: Sequence[str], kept: Collection[str] = ()) -> None:
        access = self._settings.snowflake
        publish(self._sessions, access.database, access.readers_database, schemas, access.readers, kept)

    def dbt_environment(self) -> dict[str, str]:
        given = self._settings.snowflake
        plain = {
            "ACCOUNT": given.account, "USER": given.user, "ROLE": given.role, "DATABASE": given.database,
            "AUTHENTICATOR": given.authenticator, "HOST": given.host, "PORT": given.port, "PROTOCOL": given.protocol,
            "PRIVATE_KEY_FILE": given.private_key_file, "WAREHOUSE": given.warehouse,
            "QUERY_TAG": query_tag(given.query_tags, self._run),
        } | {f"WAREHOUSE_{layer.upper()}": given.warehouse_of(layer) for layer in LAYERS}  # fmt: skip
        # dbt shows no value of a variable of this prefix, and keeps none.
        secrets = {
            "PRIVATE_KEY": given.private_key, "PRIVATE_KEY_PASSPHRASE": given.private_key_passphrase,
            "PASSWORD": given.password, "TOKEN": given.token,
        }  # fmt: skip
        return {
            "REGULARS_DBT_THREADS": str(self._settings.threads),
            **{f"REGULARS_DBT_SNOWFLAKE_{name}": "" if value is None else str(value) for name, value in plain.items()},
            **{
                f"DBT_ENV_SECRET_REGULARS_{name}": secret.get_secret_value() if secret else ""
                for name, secret in secrets.items()
            },
        }

    def _make_raw_tables(self, contracts: Mapping[str, Contract]) -> None:
        """Make the tables that are not there, and add the columns that contracts have gained."""
        known: dict[str, set[str]] = {}
        for table, column in self.query(
            "select lower(table_name), lower(column_name) from information_schema.columns where table_schema = 'RAW'"
        ):
            known.setdefault(table, set()).add(column)
        for table, contract in contracts.items():
            if table not in known:
                self.execute(tables.raw_table(contract))
                continue
            for column, kind in contract.landed_columns:
                if column not in known[table]:
                    self.execute(
                        f"alter table raw.{tables.name(table)} add column {tables.name(column)} {tables.column_type(kind)}"
                    )

    def _keep_timezone(self) -> None:
        """The zone of the business day is a fact of the stored data: it is kept, and a change is refused."""
        self.execute(
            "insert into ops.properties select 'timezone', ? where not exists "
            "(select 1 from ops.properties where name = 'timezone')",
            [self._settings.timezone],
        )
        ((kept,),) = self.query("select value from ops.properties where name = 'timezone'")
        if kept != self._settings.timezone:
            raise ConfigError(
                f"the warehouse holds business days of {kept}, the settings say {self._settings.timezone}",
                remedy=f"set REGULARS_TIMEZONE={kept}, or start in a new database and land again",
            )


def _same(key: Sequence[str]) -> str:
    return " and ".join(f"{tables.name(name)} is not distinct from ?" for name in key)

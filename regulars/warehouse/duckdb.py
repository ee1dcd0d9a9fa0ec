"""The warehouse in one DuckDB file; `raw` and `quarantine` are views over the committed landing files."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import duckdb
import pyarrow as pa

from regulars.contracts import Contract
from regulars.engine import allow_s3, identifier, quote
from regulars.errors import ConfigError, TransientError
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
from regulars.storage import open_storage
from regulars.warehouse.base import SCHEMAS, Loaded
from regulars.warehouse.duckdb_publish import publish
from regulars.warehouse.duckdb_views import quarantine_rows_view, quarantine_view, raw_view

CONFLICT_RETRIES = 20
Result = TypeVar("Result")


class DuckDBWarehouse:
    """Opening takes DuckDB's own file lock, waiting for another writing process up to `lock_timeout_seconds`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._storage = open_storage(settings.landing_root, settings.s3)
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._local = threading.local()

    def __enter__(self) -> Self:
        self._settings.warehouse_path.parent.mkdir(parents=True, exist_ok=True)
        connection = connect_patiently(self._settings.warehouse_path, self._settings.lock_timeout_seconds)
        connection.execute("set autoinstall_known_extensions = false")
        connection.execute("set autoload_known_extensions = false")
        connection.execute(f"set memory_limit = {quote(self._settings.memory_limit)}")
        connection.execute(f"set threads = {self._settings.threads}")
        connection.execute("set TimeZone = 'UTC'")
        if self._settings.landing_root.startswith("s3://"):
            allow_s3(connection, self._settings.s3)
        self._connection = connection
        return self

    def __exit__(self, *error: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def prepare(self, contracts: Mapping[str, Contract]) -> None:
        self._committed(lambda: self._prepare(contracts))

    def _prepare(self, contracts: Mapping[str, Contract]) -> None:
        for schema in SCHEMAS:
            self.execute(f"create schema if not exists {schema}")
        for table, columns in OPS_TABLES.items():
            listed = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns)
            self.execute(f"create table if not exists ops.{table} ({listed})")
        self.execute("create unique index if not exists one_row_per_batch on ops.built_batches (stage, batch_id)")
        self.execute(f"create or replace view ops.effective_batches as {EFFECTIVE_BATCHES}")
        self._keep_timezone()
        made = set(
            self.query("select schema_name, view_name from duckdb_views() where schema_name in ('raw', 'quarantine')")
        )
        for table, contract in contracts.items():
            if not made.issuperset({("raw", table), ("quarantine", table)}):
                self._point_views(contract)
        self.execute(quarantine_rows_view(sorted(contracts)))

    def load(self, contract: Contract, manifests: Iterable[Manifest], run: Run, finished_at: datetime) -> Loaded:
        offered = [manifest for manifest in manifests if manifest.is_accepted]

        def once() -> Loaded:
            known = self.known_batches(contract.table)
            new = tuple(manifest for manifest in offered if manifest.batch_id not in known)
            if new:
                self.record(
                    "ingestion_logs", [ingestion_row(m, run, status="loaded", finished_at=finished_at) for m in new]
                )
                self._point_views(contract)
            return Loaded(contract.table, new, len(known))

        return self._committed(once)

    def unload(
        self,
        contract: Contract,
        batch_ids: Sequence[str],
        replaced_by: Manifest | None,
        run: Run,
        finished_at: datetime,
    ) -> None:
        def once() -> None:
            for batch_id in batch_ids:
                self.execute(RETIRE_BATCH, [batch_id])
            if replaced_by is not None:
                self.record(
                    "ingestion_logs", [ingestion_row(replaced_by, run, status="loaded", finished_at=finished_at)]
                )
                for batch_id in batch_ids:
                    self.execute(REPLACE_BUILT_BATCH, [replaced_by.batch_id, batch_id])
            self._point_views(contract)

        self._committed(once)

    def known_batches(self, table: str) -> set[str]:
        return {batch_id for (batch_id,) in self.query(KNOWN_BATCHES, [table])}

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._cursor().execute(sql, parameters).fetchall()

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        return self._cursor().execute(sql, parameters).to_arrow_table()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._cursor().execute(sql, parameters)

    def transaction(self) -> AbstractContextManager[None]:
        return in_transaction(self.execute)

    def record(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        columns = [name for name, _ in OPS_TABLES[table]]
        listed = ", ".join(identifier(name) for name in columns)
        cursor = self._cursor()
        # One statement for all of them: the checks of a day are hundreds.
        cursor.register("_rows", pa.table({name: [row.get(name) for row in rows] for name in columns}))
        try:
            cursor.execute(f"insert into ops.{table} ({listed}) select {listed} from _rows")
        finally:
            cursor.unregister("_rows")

    def replace_records(self, table: str, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        def once() -> None:
            for row in rows:
                self.execute(f"delete from ops.{table} where {_same(key)}", [row[name] for name in key])
            self.record(table, rows)

        self._committed(once)

    def record_missing(self, table: str, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        def once() -> None:
            known = f"select 1 from ops.{table} where {_same(key)}"
            self.record(table, [row for row in rows if not self.query(known, [row[name] for name in key])])

        self._committed(once)

    def export(self, sql: str, path: Path, format: Literal["csv", "parquet"]) -> int:
        options = "format csv, header true" if format == "csv" else "format parquet, compression zstd"
        ((rows,),) = self.query(f"copy ({sql}) to {quote(str(path))} ({options})")
        return int(rows)

    def import_file(self, path: Path, columns: Sequence[str], format: Literal["csv", "parquet"]) -> str:
        return read_file(path, columns, format)

    def publish(self, schemas: Sequence[str], kept: Collection[str] = ()) -> None:
        publish(self._cursor(), self._settings.published_path, schemas, kept)

    def dbt_environment(self) -> dict[str, str]:
        return {
            "REGULARS_WAREHOUSE_PATH": str(self._settings.warehouse_path),
            "REGULARS_DBT_THREADS": str(self._settings.threads),
        }

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """The connection of this thread: one DuckDB connection must not be shared between threads."""
        if self._connection is None:
            raise RuntimeError("the warehouse is used outside its `with` block")
        if getattr(self._local, "owner", None) is not self._connection:
            self._local.owner, self._local.cursor = self._connection, self._connection.cursor()
        cursor: duckdb.DuckDBPyConnection = self._local.cursor
        return cursor

    def _committed(self, work: Callable[[], Result]) -> Result:
        """Run `work` in a transaction; again when another thread touched the same catalogue entry first."""
        for attempt in range(CONFLICT_RETRIES):
            try:
                with self.transaction():
                    return work()
            except (duckdb.TransactionException, duckdb.ConstraintException) as error:
                if attempt == CONFLICT_RETRIES - 1:
                    raise TransientError(
                        f"the warehouse kept changing under this run: {error}", remedy="run again"
                    ) from None
                time.sleep(0.02 * (attempt + 1))
        raise AssertionError("unreachable")

    def _point_views(self, contract: Contract) -> None:
        """Let the views of one table name exactly the files of its loaded batches, in a stated order."""
        rows = self.query(
            "select landing, files from ops.ingestion_logs where table_name = ? and status = 'loaded' order by as_of, revision, batch_id",
            [contract.table],
        )
        files = [
            (self._storage.url(f"{landing}/{name}"), name)
            for landing, names in rows
            for name in names.split(",")
            if name
        ]
        self.execute(raw_view(contract, [url for url, name in files if name.startswith("part-")]))
        rejects = [url for url, name in files if name.startswith("rejects-")]
        replays = [url for url, name in files if name.startswith("replays-")]
        self.execute(quarantine_view(contract.table, rejects, replays))

    def _keep_timezone(self) -> None:
        """The zone of the business day is a fact of the stored data: it is kept, and a change is refused."""
        self.execute("create table if not exists ops.properties (name varchar primary key, value varchar)")
        self.execute("insert or ignore into ops.properties values ('timezone', ?)", [self._settings.timezone])
        ((kept,),) = self.query("select value from ops.properties where name = 'timezone'")
        if kept != self._settings.timezone:
            raise ConfigError(
                f"the warehouse holds business days of {kept}, the settings say {self._settings.timezone}",
                remedy=f"set REGULARS_TIMEZONE={kept}, or start a new REGULARS_HOME and land again",
            )


def read_file(path: Path, columns: Sequence[str], format: Literal["csv", "parquet"]) -> str:
    """A table expression over a local file; every column of a CSV is text."""
    if format == "parquet":
        return f"read_parquet({quote(str(path))})"
    types = ", ".join(f"'{name}': 'varchar'" for name in columns)
    return (
        f"read_csv({quote(str(path))}, auto_detect = false, header = true, columns = {{{types}}}, "
        "delim = ',', quote = '\"', escape = '\"', strict_mode = true)"
    )


def _same(key: Sequence[str]) -> str:
    return " and ".join(f"{identifier(name)} is not distinct from ?" for name in key)


@contextmanager
def in_transaction(execute: Callable[[str], None]) -> Iterator[None]:
    """One transaction of the session that `execute` speaks to; whatever is raised inside rolls it back."""
    execute("begin")
    try:
        yield
    except BaseException:
        execute("rollback")
        raise
    execute("commit")


def connect_patiently(path: Path, timeout_seconds: float) -> duckdb.DuckDBPyConnection:
    """A writing connection to `path`, waiting while another process holds it. Raises TransientError in the end."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return duckdb.connect(str(path))
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error):
                raise TransientError(
                    f"{path} cannot be opened: {error}", remedy="check the disk and the file's rights"
                ) from None
            if time.monotonic() >= deadline:
                raise TransientError(
                    f"another process has been writing {path} for {timeout_seconds:.0f} s",
                    remedy="wait for the other run, or raise REGULARS_LOCK_TIMEOUT_SECONDS",
                ) from None
            time.sleep(0.5)

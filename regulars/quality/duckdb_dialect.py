"""A SQLAlchemy dialect through which Great Expectations can read the warehouse file on DuckDB.

Two things differ from `duckdb_engine`. Great Expectations reads a result after it gave the connection back to the pool,
by when DuckDB has dropped it: the first rows are therefore fetched as soon as a statement ran. And connections to one
file in one process must be configured alike: ours are opened without any configuration, and settings are made by SET.
"""

from __future__ import annotations

import warnings
from typing import Any

import duckdb
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGExecutionContext_psycopg2
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # deprecations inside the package, of no concern to whoever runs a gate
    from duckdb_engine import ConnectionWrapper
    from duckdb_engine import Dialect as PackagedDialect

DRIVER = "regulars_duckdb"
ROWS_KEPT = 1000  # Great Expectations also runs `select *` of a whole batch, only to learn its columns


class TruncatedFetch(FullyBufferedCursorFetchStrategy):
    """The first rows of a longer result. Reading past them is an error, never a silent end."""

    def fetchone(self, result: Any, dbapi_cursor: Any, hard_close: bool = False) -> Any:
        row = super().fetchone(result, dbapi_cursor, False)
        return row if row is not None else self._refuse()

    def fetchmany(self, result: Any, dbapi_cursor: Any, size: int | None = None) -> Any:
        return super().fetchmany(result, dbapi_cursor, size) or self._refuse()

    def fetchall(self, result: Any, dbapi_cursor: Any) -> Any:
        return self._refuse()

    def _refuse(self) -> Any:
        raise RuntimeError(f"a check asked for more than {ROWS_KEPT} rows; rules are to be computed inside the engine")


class BufferedExecution(PGExecutionContext_psycopg2):
    """Keeps the first fetched rows, so that a result outlives its connection."""

    def post_exec(self) -> None:
        super().post_exec()  # type: ignore[no-untyped-call]
        if self.cursor.description:
            rows = self.cursor.fetchmany(ROWS_KEPT + 1)
            strategy = TruncatedFetch if len(rows) > ROWS_KEPT else FullyBufferedCursorFetchStrategy
            self.cursor_fetch_strategy = strategy(
                self.cursor, initial_buffer=rows[:ROWS_KEPT], alternate_description=self.cursor.description
            )


class GateDialect(PackagedDialect):  # type: ignore[misc]
    """DuckDB as `regulars_duckdb:///<path>`."""

    driver = DRIVER
    execution_ctx_cls = BufferedExecution
    supports_statement_cache = False

    def connect(self, *arguments: Any, **parameters: Any) -> Any:
        connection = duckdb.connect(str(parameters.get("database") or arguments[0]))
        connection.execute("set TimeZone = 'UTC'")
        return ConnectionWrapper(connection)


def register_dialect() -> None:
    """Make `regulars_duckdb:///` URLs known to SQLAlchemy; safe to repeat."""
    registry.register(DRIVER, __name__, GateDialect.__name__)

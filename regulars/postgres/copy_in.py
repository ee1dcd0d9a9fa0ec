"""Bulk intake: a DuckDB query streamed into a PostgreSQL table by COPY, without Python touching a row."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

import duckdb
import psycopg
from psycopg import sql

from regulars.errors import SourceError, TransientError

PIECE_BYTES = 1 << 20


def copy_in(
    engine: duckdb.DuckDBPyConnection,
    query: str,
    target: psycopg.Connection,
    table: str,
    columns: Sequence[str],
    schema: str = "public",
) -> int:
    """Append the rows of `query` (columns in the order of `columns`) to a table, in the transaction of `target`.

    Returns the number of rows. Values travel as CSV text through a pipe: null stays null, an empty text stays empty,
    memory stays flat. Raises SourceError where DuckDB or PostgreSQL refuses a value, TransientError where the
    connection breaks.
    """
    command = sql.SQL("copy {} ({}) from stdin (format csv)").format(
        sql.Identifier(schema, table), sql.SQL(", ").join(sql.Identifier(column) for column in columns)
    )
    reading, writing = os.pipe()
    failures: list[Exception] = []

    def unload() -> None:
        try:
            engine.execute(f"copy ({query}) to '/dev/fd/{writing}' (format csv, header false, use_tmp_file false)")
        except Exception as error:  # handed to the thread that waits
            failures.append(error)
        finally:
            os.close(writing)

    worker = threading.Thread(target=unload, name=f"unload-{table}", daemon=True)
    with target.cursor() as cursor:
        try:
            with os.fdopen(reading, "rb", buffering=0) as stream, cursor.copy(command) as copy:
                worker.start()
                while piece := stream.read(PIECE_BYTES):
                    copy.write(piece)
                if failures:
                    raise failures[0]  # ends the COPY with an error, so that no part of it stays
        except psycopg.OperationalError as error:
            raise TransientError(
                f"COPY into {schema}.{table} broke off: {_first_line(error)}", remedy="run again"
            ) from None
        except psycopg.Error as error:
            raise SourceError(f"PostgreSQL refused rows for {schema}.{table}: {_first_line(error)}") from None
        except duckdb.Error as error:
            raise SourceError(f"rows for {schema}.{table} could not be read: {_first_line(error)}") from None
        finally:
            if worker.ident is None:
                os.close(writing)
            else:
                worker.join()
        return max(cursor.rowcount, 0)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

"""Intake of a CSV file into a raw table of the operational store: its bytes go through COPY as they are.

Every column is text; types come later. The table is replaced as a whole, together with the row of `ops.ingestion_logs`,
in one transaction: readers see the file before or the file now, and a kill leaves the one before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from regulars.errors import ContractError
from regulars.ledger import failed_row
from regulars.postgres.empty_cells import EmptyCells
from regulars.postgres.store import record, store_errors
from regulars.run import Run

SCHEMA = "raw"
ROW, TAB = "_row", "_tab"
PIECE_BYTES = 1 << 16  # stays in the processor's cache on its way to the server
DIGITS = 20  # of a digest
ROWS_AT_ONCE = 10_000  # numbers that a session takes from the sequence
# Pages go to the disk while the copy goes on, where the server's system can do that: the commit then finds little to wait for.
FLUSH_EARLY = (
    "select set_config('backend_flush_after', max_val, true) from pg_settings where name = 'backend_flush_after'"
)
WHERE = re.compile(r"COPY \S+, line (\d+)(?:, column ([^:]+))?")


@dataclass(frozen=True)
class CsvFile:
    """A file of UTF-8 text. `columns` are the table's names in the order of the file, `skip` the bytes before the first row
    of data, and `first_row` the number of that row in the sheet, where the file itself has no column `_row`. `name` is what
    people call it, where that is not the file's own. Of an export as people made it (`is_export`) an empty cell is nothing,
    quoted or not, and rows without a filled cell are left out."""

    path: Path
    columns: tuple[str, ...]
    skip: int = 0
    first_row: int = 2
    delimiter: str = ","
    quote: str = '"'
    name: str = ""
    is_export: bool = False


@dataclass(frozen=True)
class TakenIn:
    """`created`: the table was replaced; otherwise it holds this file already. `content` is the file's digest."""

    table: str
    rows: int
    bytes: int
    content: str
    created: bool


def take_in(
    connection: psycopg.Connection[Any], table: str, columns: Sequence[str], file: CsvFile, run: Run, *,
    refresh: bool = False, rows_filtered: int = 0, is_last_try: bool = True,
) -> TakenIn:  # fmt: skip
    """Replace `raw.<table>` (text `columns`, with `_row` and `_tab`, which is empty without tabs) by the rows of a file.

    A file with the content of the last intake changes nothing, unless `refresh`. Columns that the file lacks are null.
    `rows_filtered` were left out of the file on purpose, and are counted in the ledger. A failure is recorded there only
    if it `is_last_try`.
    Raises ContractError for a file that is no CSV of that width, with its line; what was there stays.
    """
    started = datetime.now(UTC).replace(tzinfo=None)
    try:
        with store_errors(f"raw.{table}"), connection.transaction():
            connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"regulars intake {table}"])
            known = _last(connection, table)
            if known and not refresh and _holds(known, file, columns):
                return TakenIn(table, int(known[1]), int(known[2]), str(known[0]), created=False)
            _make_table(connection, table, columns, file)
            rows, sent, content = _copy(connection, table, columns, file)
            finished = datetime.now(UTC).replace(tzinfo=None)
            record(connection, "ingestion_logs", {
                "run_id": run.run_id, "flow": run.flow, "table_name": table, "as_of": run.as_of,
                "revision": int(known[3]) + 1 if known else 1, "batch_id": content, "status": "loaded",
                "rows_read": rows + rows_filtered, "rows_loaded": rows, "rows_quarantined": 0, "rows_duplicate": 0,
                "rows_filtered": rows_filtered,
                "bytes": sent, "seconds": (finished - started).total_seconds(), "started_at": started,
                "finished_at": finished, "message": "", "scope": "full", "landing": "", "files": file.name or file.path.name,
            })  # fmt: skip
    except ContractError as error:
        if not is_last_try:
            raise
        ended = datetime.now(UTC).replace(tzinfo=None)
        failed = failed_row(table, run, started_at=started, finished_at=ended, message=error.message)
        record(connection, "ingestion_logs", failed)
        raise
    return TakenIn(table, rows, sent, content, created=True)


def _holds(known: tuple[Any, ...], file: CsvFile, columns: Sequence[str]) -> bool:
    """Whether the last intake was of these bytes. Their number is asked first: a sheet that was changed mostly has another."""
    if int(known[2]) != file.path.stat().st_size - file.skip:
        return False
    digest = _new_digest(file, columns)
    for piece in _pieces(file):
        digest.update(piece)
    return str(known[0]) == digest.hexdigest()[:DIGITS]


def _new_digest(file: CsvFile, columns: Sequence[str]) -> hashlib._Hash:
    """Digest of how a file is read, to which its bytes are added: `DIGITS` hex digits of it are its content."""
    return hashlib.sha256(
        repr((*columns, file.columns, file.first_row, file.delimiter, file.quote, file.is_export)).encode()
    )


def _pieces(file: CsvFile) -> Iterator[bytes]:
    with file.path.open("rb") as stream:
        stream.seek(file.skip)
        while piece := stream.read(PIECE_BYTES):
            yield piece


def _last(connection: psycopg.Connection[Any], table: str) -> tuple[Any, ...] | None:
    """Digest, rows, bytes and revision of the last intake that was not a failure, if its table is still there."""
    return connection.execute(
        "select batch_id, rows_loaded, bytes, revision from ops.ingestion_logs where table_name = %s and status = 'loaded' "
        "and to_regclass(format('raw.%%I', table_name)) is not null order by revision desc limit 1",
        [table],
    ).fetchone()


def _make_table(connection: psycopg.Connection[Any], table: str, columns: Sequence[str], file: CsvFile) -> None:
    """The table, empty, with every column; the transaction holds it from here on. A null takes more room than an empty tab."""
    name = sql.Identifier(SCHEMA, table)
    connection.execute(
        sql.SQL("create table if not exists {} ({} bigint generated by default as identity (cache {}), {} text)").format(
            name, sql.Identifier(ROW), sql.Literal(ROWS_AT_ONCE), sql.Identifier(TAB)
        )
    )  # fmt: skip
    for column in columns:
        connection.execute(
            sql.SQL("alter table {} add column if not exists {} text").format(name, sql.Identifier(column))
        )
    connection.execute(sql.SQL("truncate {}").format(name))
    connection.execute(
        sql.SQL("alter table {} alter column {} restart with {}, alter column {} set default ''").format(
            name, sql.Identifier(ROW), sql.Literal(file.first_row), sql.Identifier(TAB)
        )
    )


def _copy(
    connection: psycopg.Connection[Any], table: str, columns: Sequence[str], file: CsvFile
) -> tuple[int, int, str]:
    """Rows, bytes and digest of the file, which goes in as it is. The rows are frozen: nobody else can have seen the table."""
    target, names = sql.Identifier(SCHEMA, table), sql.SQL(", ").join(map(sql.Identifier, file.columns))
    is_forced = file.is_export and _starts_with_quoted(file)
    command = sql.SQL("copy {} ({}) from stdin (format csv, delimiter {}, quote {}, freeze{})").format(
        target, names, sql.Literal(file.delimiter), sql.Literal(file.quote),
        sql.SQL(", force_null ({})" if is_forced else "").format(names),
    )  # fmt: skip
    connection.execute(FLUSH_EARLY)
    digest, sent = _new_digest(file, columns), 0
    empty = EmptyCells(file.delimiter, file.quote) if file.is_export else None
    with connection.cursor() as cursor:
        try:
            with cursor.copy(command) as copy:
                for piece in _pieces(file):
                    copy.write(piece)
                    digest.update(piece)  # while the server reads it
                    if empty:
                        empty.look(piece)
                    sent += len(piece)
        except psycopg.DataError as error:
            raise _no_such_csv(table, file, error) from None
        rows = cursor.rowcount
    if empty and empty.may_be_quoted and not is_forced:
        nothing = sql.SQL(", ").join(
            sql.SQL("{0} = nullif({0}, '')").format(sql.Identifier(name)) for name in file.columns
        )
        connection.execute(sql.SQL("update {} set {} where '' in ({})").format(target, nothing, names))
    if empty and empty.may_be_blank:
        blank = sql.SQL("delete from {} where coalesce({}) is null").format(target, names)
        rows -= connection.execute(blank).rowcount
    return rows, sent, digest.hexdigest()[:DIGITS]


def _starts_with_quoted(file: CsvFile) -> bool:
    """Whether a quoted empty cell may be among the first ones: where all cells are quoted, it is."""
    empty = EmptyCells(file.delimiter, file.quote)
    empty.look(next(_pieces(file), b""))
    return empty.may_be_quoted


def _no_such_csv(table: str, file: CsvFile, error: psycopg.Error) -> ContractError:
    """What PostgreSQL says of a file, with its place; a value that it quotes stays out."""
    found = WHERE.search(error.diag.context or "")
    place = f"row {int(found[1]) - 1 + file.first_row}" if found else "somewhere"
    if found and found[2]:
        place += f", column {found[2]}"
    said = re.sub(r'[:"].*', "", error.diag.message_primary or "").strip() or "not readable as CSV"
    return ContractError(
        f"{file.name or file.path.name}: {place}: {said} (table raw.{table})",
        remedy="correct that row, or quote cells that hold the delimiter or a line break; the table stays as it was",
    )

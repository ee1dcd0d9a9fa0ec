"""Reading a damaged CSV file: good records land, broken ones go to quarantine, and if the sum fails nothing lands.

The engine reads on after a broken record and records it, but a lost quote can make it swallow thousands of lines in
silence. So lines are counted in a second, dumb pass, and every line must belong to exactly one record.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from regulars.engine import identifier, quote
from regulars.errors import ContractError
from regulars.sources.base import RESERVED, Piece
from regulars.sources.csv_files import header_record, read_csv_sql
from regulars.sources.lines import blank_lines_before, copy_with_one_line_end, count_lines
from regulars.sources.options import ReadOptions

RECORD = f"{RESERVED}record"
OVERFULL = "does not support a full read"  # what the engine says of a record longer than its buffer
LINE = re.compile(r"CSV Error on Line: (\d+)")
MOST_BROKEN = 100_000  # records; a file with more of them is not one that is damaged in places
WRONG_ENCODING_SHARE = 0.1
WRONG_ENCODING_ROWS = 20
REMEDIES = "mend or resend the file, or correct delimiter, quote, escape, skip or encoding under read: in sources.yml"


def salvage_csv(
    engine: duckdb.DuckDBPyConnection,
    piece: Piece,
    path: Path,
    read: ReadOptions,
    columns: list[str],
    spool: Path,
    cause: str,
) -> Piece:
    """The records of a damaged file that can be read, and the others as rejects with line, place and bytes.

    `cause` is what the strict reading said. Raises ContractError with file, line and remedy where not every line of the
    file can be accounted for.
    """
    # The engine shows the line it stumbled on, unless its buffer did not hold the record: looking for the end of such
    # a record, the patient reading would not come back for hours.
    if OVERFULL in cause or ("unterminated" in cause and "Original Line" not in cause):
        raise refusal(piece.source, cause)
    if "state machine" in cause and not path.name.startswith("lines-"):
        return _with_one_line_end(engine, piece, path, read, columns, spool)
    target = spool / f"salvage-{path.name}.parquet"
    lines = count_lines(path, read.skip, with_blank=len(columns) == 1)
    header = _header_lines(path, read, piece.source)
    # What the engine keeps of each broken record is outside of its memory limit: they are counted before.
    _read_patiently(engine, piece, path, read, columns, target, cause, "ignore_errors = true")
    missing = lines - header - sum(_count_accepted(engine, target, len(columns)))
    if missing > MOST_BROKEN:
        raise refusal(piece.source, cause, f"more than {MOST_BROKEN} broken records")
    _read_patiently(engine, piece, path, read, columns, target, cause, "store_rejects = true")
    accepted, in_fields = _count_accepted(engine, target, len(columns))
    broken = _broken_records(_rejected(engine), path, read, counts_blank=len(columns) == 1)
    if lines - header != accepted + len(broken) + in_fields:
        raise refusal(
            piece.source, cause, f"{lines - header} lines, but only {accepted + len(broken) + in_fields} in records"
        )
    wrong = sum(rule == "encoding" for _, _, rule, _ in broken)
    if wrong >= WRONG_ENCODING_ROWS and wrong > WRONG_ENCODING_SHARE * (accepted + len(broken)):
        raise ContractError(
            f"{piece.source}: {wrong} of {accepted + len(broken)} records are not {read.encoding} text",
            remedy="set read: {encoding: cp1252} (or latin-1, utf-16) for the table in sources.yml",
        )
    rejects = _rejects_table(engine, path, broken, keep_offsets=read.encoding == "utf-8", spool=spool)
    # Records before an accepted one = accepted before it + broken before it; both sides are counted from 1.
    numbered = (
        f"(select *, file_row_number + 1 as accepted_number from read_parquet({quote(str(target))}, "
        "file_row_number = true))"
    )
    listed = ", ".join(f"c{n} as {identifier(column)}" for n, column in enumerate(columns))
    relation = (
        f"select {listed}, accepted_number + coalesce(broken_before, 0) as {RECORD} from {numbered} as accepted "
        "asof left join (select accepted_before, max(broken_before) as broken_before from (select record_number - "
        "broken_before "
        "as accepted_before, broken_before from (select record_number, row_number() over (order by record_number) "
        "as broken_before "
        f"from read_parquet({quote(rejects)}))) group by accepted_before) as broken "
        f"on accepted.accepted_number > broken.accepted_before order by accepted_number"
    )
    return replace(
        piece,
        relation=relation,
        record=RECORD,
        rejects=f"select * from read_parquet({quote(rejects)})",
        salvage=None,
    )


def _with_one_line_end(
    engine: duckdb.DuckDBPyConnection, piece: Piece, path: Path, read: ReadOptions, columns: list[str], spool: Path
) -> Piece:
    """A copy in which every line ends with LF; the engine reads no file that mixes line ends."""
    target = spool / f"lines-{path.name}"
    copy_with_one_line_end(path, target)
    return replace(
        piece,
        relation=read_csv_sql(target, read, piece.source, columns),
        notes=(*piece.notes, f"{piece.source} mixes line ends: read with one"),
        salvage=lambda cause: salvage_csv(engine, piece, target, read, columns, spool, cause),
    )


def is_damage(error: duckdb.Error) -> bool:
    """Whether the engine complains of the form of a CSV file (or of lines read as one)."""
    marks = ("CSV Error", "CSV Parser", "Invalid unicode", OVERFULL)
    return any(mark in str(error) for mark in marks)


def refusal(source: str, cause: str, detail: str = "") -> ContractError:
    """The error for a file that cannot be read without losing rows; `cause` is the engine's text."""
    line = LINE.search(cause)
    place = f" at line {line[1]}" if line else ""
    what = "an unterminated quote" if "unterminated" in cause or "quote" in cause.lower() else "a broken structure"
    for mark, words in (
        ("Expected Number of Columns", "a wrong number of fields"),
        ("unicode", "bytes that are not text"),
        ("Maximum line size", "a line longer than read.max_line_bytes"),
        (OVERFULL, "a line longer than read.max_line_bytes"),
        ("state machine", "mixed line ends or quotes"),
    ):
        if mark in cause:
            what = words
            break
    return ContractError(
        f"{source}: {what}{place}; nothing of it was landed{f' ({detail})' if detail else ''}", remedy=REMEDIES
    )


def _read_patiently(
    engine: duckdb.DuckDBPyConnection,
    piece: Piece,
    path: Path,
    read: ReadOptions,
    columns: list[str],
    target: Path,
    cause: str,
    errors: str,
) -> None:
    """Write the records that can be read to `target`; their columns are called c0, c1 ..."""
    engine.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    safe = [f"c{n}" for n, _ in enumerate(columns)]
    relation = read_csv_sql(path, read, piece.source, safe, extra=f", {errors}, parallel = false")
    try:
        engine.execute(f"copy ({relation}) to {quote(str(target))} (format parquet)")
    except duckdb.Error as error:
        raise refusal(piece.source, str(error) or cause) from None


def _rejected(engine: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return engine.execute(
        "select line, min(line_byte_position), bool_or(error_type = 'INVALID ENCODING'), "
        "arg_min(error_type, case error_type when 'LINE SIZE OVER MAXIMUM' then -1 else column_idx end), "
        "any_value(error_message) from reject_errors group by line order by line"
    ).fetchall()


def _count_accepted(engine: duckdb.DuckDBPyConnection, target: Path, width: int) -> tuple[int, int]:
    """Rows, and how many further lines their fields span (without blank ones, as the file's are counted)."""
    single = width == 1
    spans = []
    for column in (f"c{n}" for n in range(width)):
        pieces = f"string_split(replace(replace({column}, e'\\r\\n', e'\\n'), e'\\r', e'\\n'), e'\\n')"
        blank = "0" if single else f"len(list_filter({pieces}[2:-2], lambda line: line = ''))"
        spans.append(
            f"case when contains({column}, e'\\n') or contains({column}, e'\\r') then len({pieces}) - 1 - {blank} "
            "else 0 end"
        )
    row = engine.execute(
        f"select count(*), coalesce(sum({' + '.join(spans)}), 0)::bigint from read_parquet({quote(str(target))})"
    ).fetchone()
    assert row is not None  # noqa: S101  an aggregate always has a row
    return int(row[0]), int(row[1])


def _header_lines(path: Path, read: ReadOptions, name: str) -> int:
    if not read.header:
        return 0
    inside = "".join(header_record(path, read, name)).replace("\r\n", "\n").replace("\r", "\n")
    return 1 + inside.count("\n") - inside.count("\n\n")


def _broken_records(
    found: Sequence[tuple[Any, ...]], path: Path, read: ReadOptions, *, counts_blank: bool
) -> list[tuple[int, int, str, str]]:
    """(record number, byte offset, rule, reason) of each broken record.

    The engine counts blank lines in, though it makes records of them in tables of one column only.
    """
    before = read.skip + (1 if read.header else 0)
    positions = [int(position) - 1 for _, position, *_ in found]
    blank = [0] * len(positions)
    if not counts_blank:
        blank = blank_lines_before(path, positions, skip=read.skip, quote=read.quote, escape=read.escape)
    words = {
        "MISSING COLUMNS": "too few fields",
        "TOO MANY COLUMNS": "too many fields",
        "UNQUOTED VALUE": "a quote that is not closed",
        "LINE SIZE OVER MAXIMUM": "a line longer than read.max_line_bytes",
        "INVALID STATE": "quotes that contradict each other",
    }
    broken = []
    for (line, _, is_encoding, kind, message), position, skipped in zip(found, positions, blank, strict=True):
        reason = "bytes that are not text in the file's encoding" if is_encoding else words.get(kind, str(kind).lower())
        counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message or "")
        if counts and not is_encoding:
            # The engine stops counting at the first surplus field.
            found_fields = "more" if kind == "TOO MANY COLUMNS" else counts[2]
            reason += f": expected {counts[1]}, found {found_fields}"
        broken.append((int(line) - before - skipped, position, "encoding" if is_encoding else "malformed", reason))
    return broken


def _rejects_table(
    engine: duckdb.DuckDBPyConnection,
    path: Path,
    broken: list[tuple[int, int, str, str]],
    *,
    keep_offsets: bool,
    spool: Path,
) -> str:
    """Parquet file of the broken records with their bytes, invalid ones shown as \\xNN."""
    rows: dict[str, list[Any]] = {name: [] for name in ("record_number", "byte_offset", "rule", "reason", "raw")}
    with open(path, "rb") as file:
        for record, position, rule, reason in broken:
            file.seek(position)
            while file.peek(1)[:1] in (b"\n", b"\r"):  # after CRLF the engine points at the second half of the line end
                position += 1
                file.seek(position)
            line = re.split(rb"[\r\n]", file.readline(1 << 20), maxsplit=1)[0]
            raw = line.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
            for name, value in zip(rows, (record, position if keep_offsets else None, rule, reason, raw), strict=True):
                rows[name].append(value)
    types = [pa.int64(), pa.int64(), pa.string(), pa.string(), pa.string()]
    arrow = pa.table({name: pa.array(values, kind) for (name, values), kind in zip(rows.items(), types, strict=True)})
    engine.register("salvage_rejects", arrow)
    target = str(spool / f"broken-{path.name}.parquet")
    engine.execute(f"copy (select * from salvage_rejects order by record_number) to {quote(target)} (format parquet)")
    engine.unregister("salvage_rejects")
    return target

"""CSV: one strict scan with every column as text, and a patient second reading of files that are damaged in places."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from regulars.engine import quote
from regulars.errors import ContractError
from regulars.sources.options import ReadOptions

CHUNK = 8 << 20
UTF8 = {"utf-8", "ascii", "utf-8-sig"}


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a plain or gzip file."""
    with open(path, "rb") as stream:
        yield cast(IO[bytes], gzip.GzipFile(fileobj=stream)) if path.name.endswith(".gz") else stream


def as_utf8(path: Path, read: ReadOptions, name: str, spool: Path) -> Path:
    """The file itself where it is UTF-8, else a UTF-8 copy in `spool`.

    A byte that the encoding does not know is carried over as it is, so that its record is found and quarantined.
    Raises ContractError where the encoding cannot do that (utf-16 cut in the middle).
    """
    if read.encoding in UTF8:
        return path
    target = spool / f"utf8-{path.name.removesuffix('.gz')}"
    decoder = codecs.getincrementaldecoder(read.encoding)("surrogateescape")
    with open_bytes(path) as source, open(target, "wb") as copy:
        try:
            while chunk := source.read(CHUNK):
                copy.write(decoder.decode(chunk).encode("utf-8", "surrogateescape"))
            copy.write(decoder.decode(b"", final=True).encode("utf-8", "surrogateescape"))
        except UnicodeError as error:
            raise ContractError(
                f"{name} is not {read.encoding} text: {getattr(error, 'reason', 'undecodable')}",
                remedy="set read: {encoding: ...} of the table in sources.yml to the file's real encoding",
            ) from None
    return target


def plain_copy(path: Path, spool: Path) -> Path:
    """The file itself where it is plain, else unpacked into `spool`, so that byte offsets can be looked up."""
    if not path.name.endswith(".gz"):
        return path
    target = spool / f"plain-{path.name.removesuffix('.gz')}"
    with open_bytes(path) as source, open(target, "wb") as copy:
        shutil.copyfileobj(source, copy, CHUNK)
    return target


def delimiter_of(read: ReadOptions, name: str) -> str:
    return read.delimiter or ("\t" if name.lower().removesuffix(".gz").endswith(".tsv") else ",")


def header_record(path: Path, read: ReadOptions, name: str) -> list[str]:
    """The cells of the first record after `skip` lines, as they stand. Raises ContractError for a file without one."""
    with open_bytes(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
        for _ in range(read.skip):
            text.readline()
        delimiter = delimiter_of(read, name)
        lines: Iterator[str] = iter(lambda: text.readline(read.max_line_bytes), "")
        if len(delimiter) > 1:
            lines, delimiter = (line.replace(read.delimiter or "", "\x1f") for line in lines), "\x1f"
        escape = read.escape if read.escape and read.escape != read.quote else None
        reader = csv.reader(
            lines,
            delimiter=delimiter,
            quotechar=read.quote or None,
            escapechar=escape,
            doublequote=escape is None,
            quoting=csv.QUOTE_MINIMAL if read.quote else csv.QUOTE_NONE,
        )
        try:
            record = next((cells for cells in reader if cells), None)
        except csv.Error as error:
            raise ContractError(
                f"{name}: the first record cannot be read: {error}", remedy="check delimiter and quote under read:"
            ) from None
    if record is None:
        raise ContractError(
            f"{name} is empty: not even a header",
            remedy="have it delivered again; a day without rows still needs the header line",
        )
    return record


def column_names(path: Path, read: ReadOptions, name: str) -> list[str]:
    """Names of the file's columns; repeated ones get _1, _2 ..., empty ones column<position>."""
    if read.names:
        return list(read.names)
    record = header_record(path, read, name)
    return unique_names(record if read.header else [""] * len(record))


def unique_names(cells: list[str]) -> list[str]:
    """Trimmed names that differ from each other without regard to case."""
    names: list[str] = []
    for position, cell in enumerate(cells, start=1):
        wish = base = cell.strip() or f"column{position}"
        count = 0
        while wish.lower() in (name.lower() for name in names):
            count += 1
            wish = f"{base}_{count}"
        names.append(wish)
    return names


def read_csv_sql(path: Path, read: ReadOptions, name: str, columns: list[str], *, extra: str = "") -> str:
    """SELECT of all records as text. An unquoted empty field is null, a quoted one is empty text."""
    nulls = ", ".join(quote(value) for value in ("", *read.null_values))
    options = {
        "columns": "{" + ", ".join(f"{quote(column)}: 'VARCHAR'" for column in columns) + "}",
        "delim": quote(delimiter_of(read, name)),
        "quote": quote(read.quote),
        "escape": quote(read.quote if read.escape is None else read.escape),
        "header": "true" if read.header else "false",
        "skip": str(read.skip),
        "nullstr": f"[{nulls}]",
        "max_line_size": str(read.max_line_bytes),
        "buffer_size": str(max(32_000_000, 2 * read.max_line_bytes)),
    }
    settings = ", ".join(f"{key} = {value}" for key, value in options.items())
    return (
        f"select * from read_csv({quote(str(path))}, auto_detect = false, strict_mode = true, allow_quoted_nulls = "
        "false, "
        f"{settings}{extra})"
    )

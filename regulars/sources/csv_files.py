"""CSV: one strict scan with every column as text, and a patient second reading of files that are damaged in places."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from regulars.engine import quote
from regulars.errors import ContractError
from regulars.sources.options import ReadOptions


def delimiter_of(read: ReadOptions, name: str) -> str:
    return read.delimiter or ("\t" if name.lower().removesuffix(".gz").endswith(".tsv") else ",")


def after_blank_lines(path: Path, read: ReadOptions) -> ReadOptions:
    """Options that also skip the empty lines before the header; the engine would take the first of them for it."""
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as text:
        for _ in range(read.skip):
            text.readline()
        blank = 0
        while read.header and text.readline(3) in ("\n", "\r\n", "\r"):
            blank += 1
    return read.model_copy(update={"skip": read.skip + blank}) if blank else read


def header_record(path: Path, read: ReadOptions, name: str) -> list[str]:
    """The cells of the first record after `skip` lines, as they stand. Raises ContractError for a file without one."""
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as text:
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
            strict=True,
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
    if any("\0" in cell for cell in record):
        raise ContractError(
            f"{name}: the header holds NUL characters", remedy="correct encoding under read:, or have the file mended"
        )
    check_width(name, len(record), read)
    return record


def check_width(name: str, width: int, read: ReadOptions, what: str = "columns") -> None:
    """Raises ContractError for a source with more columns than are taken: each costs memory in every step."""
    if width > read.max_columns:
        raise ContractError(
            f"{name} has {width} {what}, more than read.max_columns, which is {read.max_columns}",
            remedy="check delimiter and quote; if it is meant to be so wide, raise read: {max_columns: ...} of the "
            "table in sources.yml (and REGULARS_LANDING_MEMORY_LIMIT)",
        )


def column_names(path: Path, read: ReadOptions, name: str) -> list[str]:
    """Names of the file's columns; repeated ones get _1, _2 ..., empty ones column<position>."""
    if read.names:
        check_width(name, len(read.names), read)
        return list(read.names)
    record = header_record(path, read, name)
    return unique_names(record if read.header else [""] * len(record))


def unique_names(cells: list[str]) -> list[str]:
    """Trimmed names that differ from each other without regard to case."""
    names: dict[str, str] = {}
    for position, cell in enumerate(cells, start=1):
        wish = base = cell.strip() or f"column{position}"
        count = 0
        while wish.lower() in names:
            count += 1
            wish = f"{base}_{count}"
        names[wish.lower()] = wish
    return list(names.values())


def repeated_names(cells: list[str]) -> frozenset[str]:
    """Names, in lower case, that stand among the cells more than once; case does not matter."""
    counts = Counter(cell.strip().lower() for cell in cells)
    return frozenset(name for name, count in counts.items() if count > 1 and name)


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
        "buffer_size": str(max(8_000_000, 2 * read.max_line_bytes)),
    }
    settings = ", ".join(f"{key} = {value}" for key, value in options.items())
    return (
        f"select * from read_csv({quote(str(path))}, auto_detect = false, strict_mode = true, allow_quoted_nulls = "
        "false, "
        f"{settings}{extra})"
    )

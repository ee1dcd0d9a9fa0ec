"""Decisions on mappings in CSV files, as people and their spreadsheets write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from regulars.cleansing.decisions import FIELDS, NEEDED, guarded, unguarded
from regulars.errors import ConfigError, ContractError


def write_csv(path: Path, records: Iterable[Mapping[str, str]]) -> int:
    """Records as CSV (UTF-8, guarded against formulas); returns how many."""
    rows = [[guarded(record[name]) for name in FIELDS] for record in records]
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([FIELDS, *rows])
    return len(rows)


def check_header(place: str, names: Collection[str]) -> None:
    """Raises ContractError where columns are missing without which a record decides nothing."""
    if not set(NEEDED) <= set(names):
        raise ContractError(
            f"{place}: columns {', '.join(NEEDED)} are needed, with canonical or number",
            remedy="begin with the header that `regulars mappings export` writes",
        )


def read_csv(path: Path) -> list[tuple[int, dict[str, str]]]:
    """(line, cells) of a CSV file as people save it: comma, semicolon or tab, with or without a byte order mark.

    Raises ConfigError where it cannot be read, ContractError where columns are missing.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"{path}: {reason}", remedy="name a CSV file that is saved as UTF-8") from None
    header: list[str] = []
    reader = csv.reader(io.StringIO(text, newline=""))
    for delimiter in ",;\t":
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        header = [name.strip().lower() for name in next(reader, [])]
        if set(NEEDED) <= set(header):
            break
    check_header(f"{path}: line 1", header)
    records, line = [], reader.line_num + 1
    for row in reader:
        if any(row):
            records.append((line, dict(zip(header, map(unguarded, row), strict=False))))
        line = reader.line_num + 1
    return records

"""How a text file is written: its encoding, and for CSV delimiter, quote and header, as `read:` options."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path
from typing import Any

import duckdb

from regulars.engine import quote
from regulars.sources.intake import GZIP, MARKS, SNIFFED

LOOKED_AT = 2 << 20  # bytes of a file
LINES = 2_000  # in which a header would be found again if it were data
USUAL = {"delimiter": ",", "quote": '"'}


def read_options_of(
    path: Path, kind: str, engine: duckdb.DuckDBPyConnection, spool: Path
) -> tuple[dict[str, Any], list[str]]:
    """Options that differ from what is taken without them, and why; of a local file."""
    if kind not in ("csv", "json", "ndjson"):
        return {}, []
    start = _start_of(path)
    encoding, why = _encoding_of(start)
    options: dict[str, Any] = {"encoding": encoding} if why else {}
    whys = [why] if why else []
    if kind == "csv":
        found = _shape_of(start.decode(encoding, "replace"), path.name, engine, spool)
        options |= found
        whys += [f"{name}: what splits all lines alike" for name in found if name in ("delimiter", "quote")]
        whys += ["header: the first line looks like data"] if found.get("header") is False else []
        whys += [f"skip: the first {found['skip']} lines are not of the table"] if found.get("skip") else []
    return options, whys


def _start_of(path: Path) -> bytes:
    with open(path, "rb") as stream:
        is_packed = stream.read(2) == GZIP
    try:
        with gzip.open(path) if is_packed else open(path, "rb") as stream:
            return bytes(stream.read(LOOKED_AT))
    except (EOFError, OSError, zlib.error):
        return b""  # reading it will say what is wrong


def _encoding_of(start: bytes) -> tuple[str, str]:
    marked = next((encoding for mark, encoding in MARKS.items() if start.startswith(mark)), None)
    if marked:
        return marked, f"encoding: the file begins with the mark of {marked}"
    head = start[:SNIFFED]
    if head.count(0) > 0.2 * len(head):
        wide = "utf-16-le" if head[1::2].count(0) >= head[0::2].count(0) else "utf-16-be"
        return wide, "encoding: every other byte is zero"
    try:
        start[: start.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError as error:
        return "cp1252", f"encoding: not utf-8 (byte {error.start + 1}); cp1252 is the usual one of western Windows"
    return "utf-8", ""


def _shape_of(text: str, name: str, engine: duckdb.DuckDBPyConnection, spool: Path) -> dict[str, Any]:
    copy = spool / "start.csv"
    whole = text[: text.rfind("\n") + 1] or text
    copy.write_text(whole.removeprefix("\ufeff"), encoding="utf-8", newline="")
    try:
        row = engine.execute(
            "select delimiter, quote, skiprows, hasheader from "
            f"sniff_csv({quote(str(copy))}, sample_size = 20480, ignore_errors = true, all_varchar = false)"
        ).fetchone()
    except duckdb.Error:
        return {}
    finally:
        copy.unlink()
    if row is None:
        return {}
    usual = {**USUAL, "delimiter": "\t" if name.lower().removesuffix(".gz").endswith(".tsv") else ","}
    found = {"delimiter": row[0], "quote": row[1] if row[1] not in (None, "\0", "(empty)", "") else '"'}
    options: dict[str, Any] = {key: value for key, value in found.items() if value and value != usual[key]}
    below = whole.split("\n", int(row[2] or 0))[-1]
    if not _has_header(below, str(row[0] or ","), bool(row[3])):
        options["header"] = False
    if row[2]:
        options["skip"] = int(row[2])
    return options


def _has_header(text: str, delimiter: str, sniffed: bool) -> bool:
    """Whether the first line has names, and not data, which must not end as names in a draft.

    Where every column is text the engine cannot tell: then a value of the first line that stands in its column again, in
    another row, says that it is data."""
    rows = csv.reader(text.splitlines()[:LINES], delimiter=delimiter[:1])
    first = next(rows, [])
    others = [row for row in rows if row != first]
    if any(cell and cell == first[column] for row in others for column, cell in enumerate(row[: len(first)])):
        return False
    is_words = all(cell.strip() and not cell.strip()[0].isdigit() and "@" not in cell for cell in first)
    return sniffed or (is_words and len(set(first)) == len(first))

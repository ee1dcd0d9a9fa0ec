"""Spreadsheets (xlsx, xls, ods): one sheet as text, cell by cell as the file stores it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb

from regulars.engine import identifier
from regulars.errors import ContractError, SourceError
from regulars.settings import Settings
from regulars.sources import workbook_cells
from regulars.sources.base import RESERVED, Piece, Request
from regulars.sources.csv_files import check_width, read_csv_sql, repeated_names, unique_names
from regulars.sources.options import ReadOptions

RECORD = f"{RESERVED}record"
SECONDS = 600  # of processor time for one workbook
PARSER_BYTES = 256 << 20  # what the process needs before it has read anything
UNITS = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}


def sheet_piece(request: Request, name: str, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    """A sheet as text; its record number counts the rows below the header, and rows without a value are left out.

    `read.sheet` is a name or a 0-based position (default: the first), `read.skip` the rows above the header. Raises
    ContractError where there is no such sheet, SourceError where it takes more memory or time than it may.
    """
    read, target = request.read, path.with_name(f"{path.name}.csv")
    sheet = read.sheet if read.sheet is not None else 0
    facts = write_cells_apart(request, name, path, target, sheet, header=read.header)
    width = int(facts["width"])
    check_width(name, width, read)
    if not facts["rows"]:
        raise ContractError(
            f"{name}: the sheet is empty", remedy="set read: {sheet: <name>, skip: <rows above the header>}"
        )
    if read.names and len(read.names) < width:
        raise ContractError(
            f"{name}: the sheet has {width} columns, but read.names has only {len(read.names)}",
            remedy="name every column under read: {names: [...]} of the table in sources.yml",
        )
    width = max(width, len(read.names))
    cells = [f"c{n}" for n in range(width)]
    plain = ReadOptions(header=False, max_line_bytes=min(max(2_000_000, 4 * int(facts["line"])), 100_000_000))
    known = [RECORD, *cells[: int(facts["width"])]]
    body = read_csv_sql(target, plain, name, known)
    first = engine.execute(f"select * from ({body}) limit 1").fetchone() if read.header else None
    header = [str(cell or "") for cell in (first or [""] * len(known))[1:]]
    columns = list(read.names) or unique_names(header)
    listed = ", ".join(
        f"{cell if cell in known else 'cast(null as varchar)'} as {identifier(column)}"
        for cell, column in zip(cells, columns, strict=True)
    )
    return Piece(
        name,
        f"select {listed}, cast({RECORD} as bigint) as {RECORD} from ({body}) where {RECORD} <> '0'",
        tuple((column, "VARCHAR") for column in columns),
        record=RECORD,
        repeated=repeated_names(header) if not read.names else frozenset(),
        nulls_are_read=False,
    )


def write_cells_apart(
    request: Request, name: str, path: Path, target: Path, sheet: str | int, *, header: bool
) -> dict[str, Any]:
    """Run `workbook_cells`: the filled rows of a sheet as CSV at `target`, numbered from 1, or from 0 where the first is a
    header; and facts of it.

    Raises ContractError where there is no such sheet, SourceError where it takes more memory or time than it may.
    """
    read = request.read
    arguments = {
        "path": str(path),
        "target": str(target),
        "sheet": sheet,
        "skip": read.skip,
        "header": header,
        "widest": read.max_columns,
        "memory_bytes": _memory_bytes(request.settings) + PARSER_BYTES,
        "seconds": SECONDS,
    }
    done = subprocess.run(
        [sys.executable, "-I", workbook_cells.__file__, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    facts: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    if not facts:
        raise SourceError(
            f"{name}: its cells need more memory than {request.settings.landing_memory_limit} or more than {SECONDS} s",
            remedy="look for a value far below or right of the table, deliver it as CSV, or raise "
            "REGULARS_LANDING_MEMORY_LIMIT",
        )
    if "error" in facts:
        raise ContractError(
            f"{name}: sheet {sheet!r} cannot be read: {facts['error']}: {facts['said']}",
            remedy="set read: {sheet: <name>} to one the workbook has, or have the file delivered again",
        )
    return facts


def _memory_bytes(settings: Settings) -> int:
    """The memory limit of landings in bytes; 1GB is 10^9, 1GiB 2^30."""
    match = re.fullmatch(r"([\d.]+)\s*([KMGT]i?)B", settings.landing_memory_limit)
    return int(float(match[1]) * UNITS[match[2].upper()]) if match else 10**9

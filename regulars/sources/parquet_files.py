"""Parquet: columns as they are typed in the file; what the engine would read wrongly is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb

from regulars.engine import identifier, quote
from regulars.errors import ContractError
from regulars.sources.base import RESERVED, Piece, Request, describe
from regulars.sources.csv_files import check_width

RECORD = f"{RESERVED}record"
MOST_DIGITS = 38  # of a decimal in the engine; it misreads what is wider


def parquet_piece(request: Request, name: str, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    """The rows of a file, numbered from 1 in its order. Raises ContractError for decimals wider than 38 digits."""
    schema = engine.execute(
        "select name, precision, num_children is null from parquet_schema(?) where name is not null", [str(path)]
    ).fetchall()
    check_width(name, len(schema), request.read, "columns (nested fields count)")
    wide = [str(column) for column, precision, _ in schema if precision and precision > MOST_DIGITS]
    if wide:
        raise ContractError(
            f"{name}: {', '.join(wide)} has decimals of more than {MOST_DIGITS} digits",
            remedy=f"have it delivered as decimal({MOST_DIGITS}, s) or as text",
        )
    read = f"read_parquet({quote(str(path))}, hive_partitioning = false"
    columns = describe(engine, f"select * from {read})")
    listed = ", ".join(identifier(column) for column, _ in columns)
    # The engine cannot number the rows of a file with a column of that name; then their position counts.
    is_numbered = all(column.lower() != "file_row_number" for column, _ in columns)
    numbered = f"select {listed}, file_row_number + 1 as {RECORD} from {read}, file_row_number = true)"
    return Piece(
        name,
        numbered if is_numbered else f"select {listed} from {read})",
        columns,
        numbered=RECORD if is_numbered else None,
        repeated=_repeated(engine, path),
    )


def _repeated(engine: duckdb.DuckDBPyConnection, path: Path) -> frozenset[str]:
    """Top-level names that stand there twice; the engine calls the second one name_1."""
    rows = engine.execute("select name, num_children from parquet_schema(?)", [str(path)]).fetchall()
    names: list[str] = []
    inside = [1]  # fields still to come on each level; the file's root is one
    for column, children in rows:
        if len(inside) == 2:
            names.append(str(column).lower())
        inside[-1] -= 1
        inside.append(children or 0)
        while inside and inside[-1] == 0:
            inside.pop()
    return frozenset(column for column, count in Counter(names).items() if count > 1)

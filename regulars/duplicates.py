"""Exact duplicates: rows of a batch that an earlier row of it, or of what is loaded, equals in every column."""

from __future__ import annotations

from collections.abc import Sequence, Set
from concurrent.futures import ThreadPoolExecutor

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from regulars.contracts import Contract
from regulars.engine import identifier, quote
from regulars.typed_pieces import TypedPiece

LoadedFile = tuple[str, Set[str]]  # where a landed file lies, and the columns that it has
LOADED = -1  # stands for every loaded file where pieces are counted
KEYS_AT_ONCE = 4_000_000  # whose hashes are sorted in one go, some 100 MB
HashArray = npt.NDArray[np.uint64]


def find_duplicates(
    contract: Contract,
    typed: list[TypedPiece],
    engine: duckdb.DuckDBPyConnection,
    loaded: Sequence[LoadedFile] = (),
) -> dict[int, int]:
    """How many rows of each piece are exact copies of a loaded or an earlier one; the table `dropped` says which.

    Keys that occur twice are found by a hash of the key alone; whole rows are compared only among those.
    """
    if not contract.key or contract.duplicates == "keep":
        return {}
    key = ", ".join(map(identifier, contract.key))
    rows = " union all by name ".join(
        f"select *, {number} as piece from read_parquet({quote(str(item.path))}, file_row_number = true)"
        for number, item in enumerate(typed)
    )
    good = f"(from ({rows}){' where _rejected is null' if any(item.bad for item in typed) else ''})"
    if loaded:
        before = " union all ".join(_loaded_rows(contract, file, columns) for file, columns in loaded)
        known = f"from ({before}) where hash({key}) in (select hash({key}) from {good})"
        good = f"({good} union all by name ({known}))"
    passes = 1 + sum(item.rows for item in typed) // KEYS_AT_ONCE
    repeated = [  # in passes, so that memory does not grow with the table
        _repeated(
            engine.execute(f"select hash({key}) as h from {good} where h % {passes} = {number}").fetchnumpy()["h"]
        )
        for number in range(passes)
    ]
    if not any(map(len, repeated)):
        return {}
    engine.register("twice", pa.table({"h": np.concatenate(repeated)}))
    columns = ", ".join(identifier(column.name) for column in contract.columns)
    engine.execute(
        f"create or replace temp table dropped as select piece, file_row_number as position from {good} semi join "
        f"twice on hash({key}) = h "
        f"qualify row_number() over (partition by {columns} order by piece, file_row_number) > 1"
    )
    counts = engine.execute(f"select piece, count(*) from dropped where piece > {LOADED} group by piece").fetchall()
    engine.unregister("twice")
    return {int(piece): int(count) for piece, count in counts}


def _repeated(hashes: HashArray) -> HashArray:
    """Values that occur more than once, each once.

    Two sorted halves show them in half the processor time that an engine's table of all groups takes.
    """
    upper = hashes >= np.uint64(1 << 63)
    with ThreadPoolExecutor(2) as pool:
        return np.concatenate(list(pool.map(_neighbours, (hashes[~upper], hashes[upper]))))


def _neighbours(hashes: HashArray) -> HashArray:
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


def _loaded_rows(contract: Contract, file: str, columns: Set[str]) -> str:
    """Rows of a landed file as the contract of now would have them, for the comparison with repaired ones."""
    values = ", ".join(
        f"try_cast({identifier(name) if name in columns else 'null'} as {kind}) as {identifier(name)}"
        for name, kind in contract.landed_columns
    )
    source = f"read_parquet({quote(file)}, file_row_number = true, hive_partitioning = false)"
    return f"select {values}, null as _rejected, file_row_number, {LOADED} as piece from {source}"

"""Columns of an Arrow table as NumPy arrays, and what is said when they are not as promised."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from regulars.errors import ContractError

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

SAMPLE = 3


def take_column(table: pa.Table, name: str) -> pa.ChunkedArray:
    """The column, or a ContractError that lists what the table has."""
    if name not in table.column_names:
        raise ContractError(
            f"the input has no column {name!r}, only {', '.join(table.column_names) or 'none'}",
            remedy="select it under this name",
        )
    return table.column(name)


def read_numbers(table: pa.Table, name: str) -> Floats:
    """A numeric or boolean column as float64; null becomes NaN. Raises ContractError for text, dates and infinity."""
    column = take_column(table, name)
    if not is_numeric(column.type):
        raise ContractError(f"column {name!r} holds {column.type}, not numbers", remedy="cast it in the query")
    values: Floats = np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    if np.isinf(values).any():
        raise ContractError(
            f"column {name!r} has {int(np.isinf(values).sum())} infinite values",
            remedy="divide by nullif(x, 0) in the query",
        )
    return values


def is_numeric(kind: pa.DataType) -> bool:
    """Integers, decimals, floats and booleans."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_null(kind)
    )


def order_by_key(table: pa.Table, key: str) -> pa.Table:
    """The rows by their key, ascending, so that no result depends on the order they came in.

    Raises ContractError where the key is null or comes twice.
    """
    keys = take_column(table, key)
    if len(table) < 2 and not keys.null_count:
        return table
    if keys.null_count:
        raise ContractError(f"{keys.null_count} rows have no {key}", remedy="leave them out in the query")
    table = table.take(pc.sort_indices(table, sort_keys=[(key, "ascending")]))
    keys = table.column(key)
    twice = pc.equal(keys.slice(1), keys.slice(0, len(keys) - 1))
    if pc.any(twice).as_py():
        found = pc.unique(keys.slice(1).filter(twice))
        raise ContractError(
            f"{key} comes twice: {len(found)} keys, such as {', '.join(map(str, found.slice(0, SAMPLE).to_pylist()))}",
            remedy="bring one row per key",
        )
    return table


def require(holds: NDArray[np.bool_], keys: pa.ChunkedArray, rule: str, remedy: str) -> None:
    """Raise ContractError with the number of rows that break `rule` and some of their keys."""
    if not holds.all():
        broken = np.flatnonzero(~holds)
        some = ", ".join(str(keys[int(place)].as_py()) for place in broken[:SAMPLE])
        raise ContractError(f"{rule}: not so in {len(broken)} rows, such as {some}", remedy=remedy)

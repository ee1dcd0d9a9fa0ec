"""Columns of any table made fit for finding unusual rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from regulars.errors import ContractError
from regulars.science.columns import Floats, is_numeric, read_numbers

NORMAL_IQR = 1.3489795003921634  # of the standard normal distribution: an IQR divided by it estimates its deviation
FARTHEST = 1e30  # the forest keeps 32 bits
SKEWED = 2.0  # absolute skewness from which a column is compressed by logarithms


@dataclass(frozen=True)
class Feature:
    """What became of a column.

    status: used, all_null, constant, not_numeric. median, scale (IQR / 1.349; where the middle half is equal, the
    standard deviation): of what is known, in the unit of the column. is_log: compressed (see `scale_features`).
    """

    name: str
    status: str
    null_count: int
    is_log: bool = False
    median: float | None = None
    scale: float | None = None


@dataclass(frozen=True)
class Scaled:
    """`matrix` of shape (rows, used features), median 0 and typical spread 1, nulls at 0; `known` says which were not."""

    features: list[Feature]
    matrix: Floats
    values: Floats

    @property
    def used(self) -> list[Feature]:
        return [feature for feature in self.features if feature.status == "used"]


def scale_features(table: pa.Table, names: Sequence[str]) -> Scaled:
    """The columns `names` of `table`, scaled robustly: z = (value - median) / scale, and sign(z) log(1 + |z|) if skewed.

    Null becomes 0, the typical value: what is not known makes nobody unusual. Columns that are constant, all null or not
    numeric are left out and say so.
    """
    features, matrix, raw = [], [], []
    for name in names:
        if not is_numeric(table.column(name).type):
            features.append(Feature(name, "not_numeric", table.column(name).null_count))
            continue
        values = read_numbers(table, name)
        known = ~np.isnan(values)
        feature = _describe(name, values[known], int((~known).sum()))
        features.append(feature)
        if feature.median is not None and feature.scale is not None and feature.status == "used":
            z = np.clip(np.where(known, (values - feature.median) / feature.scale, 0.0), -FARTHEST, FARTHEST)
            matrix.append(np.sign(z) * np.log1p(np.abs(z)) if feature.is_log else z)
            raw.append(values)
    empty = np.empty((len(table), 0))
    return Scaled(features, np.column_stack(matrix) if matrix else empty, np.column_stack(raw) if raw else empty)


def choose_columns(table: pa.Table, key: str, columns: Sequence[str] | None) -> list[str]:
    """All columns but the key, or those asked for, by name. Raises ContractError for one that is not there."""
    names = sorted(set(table.column_names) - {key} if columns is None else columns)
    absent = [name for name in names if name not in table.column_names]
    if absent:
        raise ContractError(f"the input has no column {', '.join(absent)}", remedy="select them, or leave them out")
    return names


def _describe(name: str, known: Floats, null_count: int) -> Feature:
    if not len(known):
        return Feature(name, "all_null", null_count)
    unit = float(np.abs(known).max()) or 1.0  # powers of great values would be infinite
    known = known / unit
    low, median, high = (float(value) for value in np.quantile(known, (0.25, 0.5, 0.75)))
    deviation = float(known.std())
    if known.min() == known.max() or deviation == 0:
        return Feature(name, "constant", null_count, median=median * unit)
    scale = (high - low) / NORMAL_IQR or deviation
    skewness = float((((known - known.mean()) / deviation) ** 3).mean())
    return Feature(name, "used", null_count, abs(skewness) > SKEWED, median * unit, scale * unit)

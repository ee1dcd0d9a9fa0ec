"""Totals per series and date become arrays without gaps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import ContractError
from regulars.science.columns import Floats, read_numbers, take_column
from regulars.science.periods import Frequency


@dataclass(frozen=True)
class Series:
    """`values` of consecutive periods from number `first` on; `filled` of them had no row and are 0."""

    name: str
    first: int
    values: Floats
    filled: int


def read_series(sales: pa.Table, as_of: date, frequency: Frequency, total: str | None) -> list[Series]:
    """The series of `sales` (series, date, value) by name, then `total`, their sum, unless that is None.

    Rows of one period are added up. A period without a row is one in which nothing was sold: 0, from the first row of a
    series to the last period that is complete at `as_of`; later rows are not looked at.
    """
    names, dates = take_column(sales, "series"), take_column(sales, "date")
    values = read_numbers(sales, "value")
    if not pa.types.is_date(dates.type):
        raise ContractError(f"column 'date' holds {dates.type}, not dates", remedy="cast it in the query")
    missing = names.null_count + dates.null_count + int(np.isnan(values).sum())
    if missing:
        raise ContractError(
            f"{missing} values of series, date and value are null", remedy="leave rows out or coalesce in the query"
        )
    keys = pc.cast(names, pa.string()).combine_chunks().dictionary_encode()
    labels = keys.dictionary.to_pylist()
    if total in labels:
        raise ContractError(f"a series is called {total!r}, as the sum of all is", remedy="give total= another name")
    codes = keys.indices.to_numpy(zero_copy_only=False)
    last = frequency.last_complete(as_of)
    periods = frequency.number(pc.cast(dates, pa.date32()).to_numpy().astype("datetime64[D]"))
    found = {}
    for code, name in sorted(enumerate(labels), key=lambda pair: str(pair[1])):
        mine = (codes == code) & (periods <= last)
        if mine.any():
            found[str(name)] = _fill(str(name), periods[mine], values[mine], last)
    series = list(found.values())
    if total is not None and series:
        series.append(_add_up(total, series))
    for one in series:
        if not np.isfinite(one.values).all():
            raise ContractError(f"sums of series {one.name} overflow", remedy="give value in a greater unit")
    return series


def _fill(name: str, periods: np.ndarray, values: Floats, last: int) -> Series:
    order = np.lexsort((values, periods))  # sums must not depend on the order of rows
    first = int(periods.min())
    sums = np.asarray(np.bincount(periods[order] - first, values[order], last - first + 1), dtype=np.float64)
    return Series(name, first, sums, len(sums) - len(np.unique(periods)))


def _add_up(name: str, series: list[Series]) -> Series:
    first = min(one.first for one in series)
    length = max(one.first + len(one.values) for one in series) - first
    values, known = np.zeros(length), np.zeros(length, dtype=bool)
    for one in series:
        with np.errstate(over="ignore"):  # the caller looks
            values[one.first - first :] += one.values
        known[one.first - first :] = True
    return Series(name, first, values, int((~known).sum()))

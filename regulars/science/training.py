"""Where a result comes from: which model, trained on which days, by which seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

import pyarrow as pa


@dataclass(frozen=True)
class Training:
    """`version` names the rules of the model (counted up when they change) and the libraries that computed it."""

    model_version: str
    trained_from: date
    trained_to: date

    def stamp(self, table: pa.Table) -> pa.Table:
        """The table with the columns model_version (string), trained_from and trained_to (date32, both included)."""
        rows = len(table)
        for name, value, kind in (
            ("model_version", self.model_version, pa.string()),
            ("trained_from", self.trained_from, pa.date32()),
            ("trained_to", self.trained_to, pa.date32()),
        ):
            table = table.append_column(pa.field(name, kind), pa.repeat(pa.scalar(value, kind), rows))
        return table


def model_version(model: str, number: int, *libraries: str) -> str:
    """Such as `sales_forecast 1 (statsforecast 2.0.3)`."""
    return f"{model} {number} ({', '.join(f'{name} {version(name)}' for name in libraries)})"

"""What the rest of the library may ask of a warehouse; every difference between engines is behind it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import pyarrow as pa

from regulars.contracts import Contract
from regulars.manifest import Manifest
from regulars.run import Run

SCHEMAS = ("raw", "staging", "intermediate", "marts", "segments", "ops", "quarantine")


@dataclass(frozen=True)
class Loaded:
    """Batches of one table that a load made visible (`new`), and how many were visible before."""

    table: str
    new: tuple[Manifest, ...]
    known: int


class Warehouse(Protocol):
    """One open warehouse. While it is open, no other process writes to it (section 4 of the design)."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def prepare(self, contracts: Mapping[str, Contract]) -> None:
        """Make schemas, `ops` tables and, for tables without a batch, empty raw relations; safe to repeat."""

    def load(self, contract: Contract, manifests: Iterable[Manifest], run: Run, finished_at: datetime) -> Loaded:
        """Make accepted batches visible in `raw`, each with its ledger row, in one transaction; known ones are left."""

    def unload(
        self,
        contract: Contract,
        batch_ids: Sequence[str],
        replaced_by: Manifest | None,
        run: Run,
        finished_at: datetime,
    ) -> None:
        """Take batches out of `raw` (retention), optionally for one that says the same, in one transaction."""

    def known_batches(self, table: str) -> set[str]:
        """Identifiers of the batches of `table` that are, or until their retention were, visible in `raw`."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a small result."""

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """A result as an Arrow table."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement."""

    def transaction(self) -> AbstractContextManager[None]:
        """All `execute` and `record` calls inside take effect together or not at all."""

    def record(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows to `ops.<table>`; columns that a row leaves out are null."""

    def replace_records(self, table: str, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        """Put rows into `ops.<table>` in place of those with the same key."""

    def record_missing(self, table: str, key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
        """Append those rows to `ops.<table>` whose key is not there yet."""

    def export(self, sql: str, path: Path, format: Literal["csv", "parquet"]) -> int:
        """Write a result, in its order, to a local file; gives the number of rows."""

    def import_file(self, path: Path, columns: Sequence[str], format: Literal["csv", "parquet"]) -> str:
        """A table expression over a file that `export` wrote, for this thread; every column of a CSV is text."""

    def publish(self, schemas: Sequence[str], kept: Collection[str] = ()) -> None:
        """Switch readers over to the present state of these schemas, all at once.

        Relations of the first schema that `kept` names stay as they were published before, or away.
        """

    def dbt_environment(self) -> dict[str, str]:
        """Environment variables that the dbt profile reads."""

"""What readers see, whichever engine published it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import pyarrow as pa

from regulars.settings import Settings
from regulars.warehouse import duckdb_publish


class PublishedReader(Protocol):
    """Read-only access to what is published."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a small result."""

    def table(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows of a query."""

    def frame(self, sql: str) -> Any:
        """A query as a pandas DataFrame."""

    def batches(
        self, schema: str, name: str, columns: Sequence[tuple[str, str]]
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        """Rows of a relation, a batch at a time. Numbers may come as text: who reads casts them to their types."""


@contextmanager
def read_published(settings: Settings) -> Iterator[PublishedReader]:
    """What is published now. Raises ConfigError where nothing was published yet."""
    if settings.warehouse == "snowflake":
        from regulars.warehouse.snowflake_publish import read_database

        with read_database(settings.snowflake) as reader:
            yield reader
    else:
        with duckdb_publish.read_published(settings.published_path) as copy:
            yield copy

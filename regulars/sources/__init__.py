"""Readers of sources by kind; `reader_for` finds the one that a connection in sources.yml names."""

from __future__ import annotations

from regulars.errors import ConfigError
from regulars.sources.base import Reader
from regulars.sources.files import FilesReader
from regulars.sources.postgres import PostgresReader
from regulars.sources.sheet import SheetReader
from regulars.sources.sql import SqlReader
from regulars.sources.warehouse_table import WarehouseReader

READERS: dict[str, Reader] = {
    "files": FilesReader(),
    "postgres": PostgresReader(),
    "sheet": SheetReader(),
    "sql": SqlReader(),
    "warehouse": WarehouseReader(),
}


def reader_for(kind: str) -> Reader:
    """The reader of a kind. Raises ConfigError that lists the known ones."""
    try:
        return READERS[kind]
    except KeyError:
        raise ConfigError(f"{kind!r} is not a kind of source", remedy=f"one of: {', '.join(sorted(READERS))}") from None

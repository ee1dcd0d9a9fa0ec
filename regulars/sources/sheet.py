"""Kind `sheet`: a shared Google spreadsheet, or what was exported of it as CSV or workbook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from regulars.errors import ConfigError
from regulars.sources.base import Piece, Request
from regulars.sources.sheet_exports import find_exports, read_exports
from regulars.sources.sheet_table import Tab, piece_of

# Options of `read:` that say what the table's own fields say for a sheet.
NOT_FOR_SHEETS = {"header": "header_row", "skip": "header_row", "names": "columns", "sheet": "tabs", "escape": "quote"}


class SheetReader:
    """Reads the tabs of one spreadsheet, or of its exports, one piece each; all of them before the first is landed."""

    @contextmanager
    def open(self, request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> Iterator[Iterator[Piece]]:
        tabs = read_tabs(request, spool)
        yield iter([piece_of(request, tab, engine, is_windowed=_is_dated(request)) for tab in tabs])

    def plan(self, request: Request) -> list[dict[str, Any]]:
        if is_export(request):
            found = [{"file": file.path, "bytes": file.bytes} for file in find_exports(request)]
        else:
            from regulars.sources.sheet_google import plan_tabs

            found = plan_tabs(request)
        window = None if _is_dated(request) else request.window
        known = {"table": request.table, "from": request.source.connection, "where": request.source.where}
        return [
            {**known, **facts, "window": [moment.isoformat() for moment in window] if window else None}
            for facts in found
        ]

    def is_live(self, request: Request) -> bool:
        return request.contract.mode == "snapshot" and not _is_dated(request)

    def is_dated(self, request: Request) -> bool:
        return _is_dated(request)


def read_tabs(request: Request, spool: Path) -> list[Tab]:
    """The filled rows of all tabs of the table, in the spool. Raises ConfigError, ContractError, SourceError, TransientError."""
    wrong = [name for name in request.source.read if name in NOT_FOR_SHEETS]
    if wrong:
        raise ConfigError(
            f"sources.yml: {request.entry}.read.{wrong[0]}: a sheet has it not",
            remedy=f"use {NOT_FOR_SHEETS[wrong[0]]} of the table",
        )
    if is_export(request):
        return list(read_exports(request, spool))
    from regulars.sources.sheet_google import read_tabs as read_shared  # its client is slow to import

    return read_shared(request, spool)


def is_export(request: Request) -> bool:
    """Whether the connection is a folder of exports. Raises ConfigError where it is neither that nor has credentials."""
    connection, name = request.connection, request.source.connection
    if (connection.path is None) == (connection.credentials is None):
        raise ConfigError(
            f"sources.yml: connections.{name}: kind sheet needs credentials, or the path of exported files, and not both",
            remedy='add credentials: "${SHEETS_SERVICE_ACCOUNT}"',
        )
    return connection.path is not None


def _is_dated(request: Request) -> bool:
    return any("{as_of}" in (text or "") for text in (request.connection.path, request.source.path))

"""The tab `Mappings` of a shared sheet: what people put and type there, and what is said of a value afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

from regulars.cleansing.decisions import FIELDS
from regulars.postgres.mapping_review import list_mappings
from regulars.run import Run
from regulars.sources.config import Connection, Sources, TableSource
from tests.integration.landing.sheets_server import Server, Tab

Store = psycopg.Connection[Any]
KEY = "1AbCdEfGhIjKlMnOpQrStUvWxYz_0123456789-abcd"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RUN = Run("run", "customer-engagement", date(2026, 1, 31), datetime(2026, 1, 31, 9))
SHORT = ["column", "raw", "status", "canonical"]


def google(server: Server, **entry: Any) -> Sources:
    options = {"endpoint": server.address, "silence_timeout_seconds": 20}
    return Sources(
        connections={"operations": Connection(kind="sheet", credentials=server.credentials, options=options)},
        tables={},
        review=TableSource(**{"from": "operations", "spreadsheet": KEY, "tabs": "Mappings", **entry}),
    )


def tab_of(server: Server) -> Tab:
    return server.books[KEY].tabs["Mappings"]


def put(server: Server, *rows: list[Any], header: list[str] | None = None) -> None:
    server.books[KEY].tabs["Mappings"] = Tab([header or SHORT, *rows], id=77)
    server.books[KEY].edit += 1


def said(store: Store, column: str, raw: str) -> tuple[Any, ...]:
    (row,) = list_mappings(store, column=column, raw=raw)
    return row["status"], row.get("canonical", row.get("number")), row["decided_by"], row["decided_at"]


def row_of(server: Server, raw: str) -> int:
    return next(number for number, row in enumerate(tab_of(server).cells) if row[2:3] == [raw])


def type_in(server: Server, raw: str, **cells: Any) -> None:
    for name, text in cells.items():
        tab_of(server).cells[row_of(server, raw)][FIELDS.index(name)] = text
    server.books[KEY].edit += 1

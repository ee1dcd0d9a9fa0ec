"""What a database is asked to leave out: columns that nothing reads, and rows outside of the day's window."""

from __future__ import annotations

import re
from datetime import date, timedelta

from regulars.errors import ConfigError
from regulars.sources.base import Request
from regulars.sources.expressions import column_references, match_column

NAME = re.compile(r"(?!(?:null|true|false)$)[a-z_]\w*", re.IGNORECASE)


def needed_columns(request: Request, names: list[str]) -> list[str]:
    """Columns that the mapping, `where` and the drift rule look at; all where nothing is mapped, or a mapped one is not there:
    the error then tells what is."""
    source = request.source
    if not source.columns:
        return names
    used: set[str] = set()
    for contract_column in request.contract.by_name:
        mapped = source.columns.get(contract_column, contract_column)
        direct = match_column(mapped, names)
        if direct is None and contract_column in source.columns and NAME.fullmatch(mapped):
            return names
        used |= {direct} if direct else set(column_references(mapped, names))
    if source.where:
        used |= set(column_references(source.where, names))
    return [name for name in names if name in used] or names[:1]


def window_column(request: Request, names: list[str]) -> str | None:
    """The source column that the window is about: `cursor`, or the event time where that is a plain column."""
    event_time = request.contract.event_time or ""
    name = match_column(request.source.cursor or request.source.columns.get(event_time, event_time), names)
    if request.source.cursor and name is None:
        raise ConfigError(
            f"sources.yml: tables.{request.table}.cursor: {request.source.cursor!r} is not a column of the source",
            remedy=f"one of: {', '.join(names)}",
        )
    return name


def window_days(request: Request) -> tuple[date, date]:
    """The window of a column of dates, half-open."""
    return request.as_of - timedelta(days=request.lookback_days), request.as_of + timedelta(days=1)


def is_live(request: Request) -> bool:
    """Whether a table or query of a database only shows its present state."""
    query = request.source.query or ""
    return request.contract.mode == "snapshot" and not any(name in query for name in ("{as_of}", "{window_start}"))


def is_dated(request: Request) -> bool:
    return request.source.cursor is not None

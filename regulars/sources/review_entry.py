"""The entry `review` of sources.yml: the tab, or the exported file, in which people decide on mappings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from regulars.errors import ConfigError

if TYPE_CHECKING:
    from regulars.sources.config import Sources, TableSource

KIND = "sheet"
NAMES = {"connection", "spreadsheet", "tabs", "path", "header_row", "read"}
SEVERAL = re.compile(r"[*?\[{]")


def check_review(file: Path, sources: Sources) -> None:
    """Raises ConfigError, with file and field, where `review` does not name one tab or one file."""
    entry, place = sources.review, f"{file}: review"
    if entry is None:
        return
    connection = sources.connections.get(entry.connection)
    if connection is None:
        raise ConfigError(f"{place}.from: no connection {entry.connection!r}", remedy="add it under connections")
    if connection.kind != KIND:
        raise ConfigError(
            f"{place}.from: connection {entry.connection} is of kind {connection.kind}, not {KIND}",
            remedy="a CSV file or a workbook is a sheet too: connections with kind: sheet and a path",
        )
    surplus = sorted(entry.model_fields_set - NAMES)
    if surplus:
        raise ConfigError(
            f"{place}.{surplus[0]}: there is no such field",
            remedy="it has from, spreadsheet and tabs, or path, and header_row and read",
        )
    if connection.path is None:
        wrong = entry.spreadsheet is None or len(entry.tabs) != 1 or entry.path is not None
        shape = "spreadsheet: <URL, key or title>, tabs: [<its tab>]"
    else:
        several = SEVERAL.search(entry.path or "") is not None or len(entry.tabs) > 1
        wrong = entry.path is None or several or entry.spreadsheet is not None
        shape = "path: <one file>"
    if wrong:
        raise ConfigError(f"{place}: it is one tab of a spreadsheet, or one file", remedy=f"give it {shape}")


def place_of(entry: TableSource) -> str:
    """The tab or the file, as people know it."""
    return entry.path or f"tab {entry.tabs[0]} of {(entry.spreadsheet or '')[:100]}"

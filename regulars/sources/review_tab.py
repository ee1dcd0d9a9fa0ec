"""Reading and writing the tab that `review` of sources.yml names, through kind `sheet`."""

from __future__ import annotations

import csv
import os
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from regulars.cleansing.decision_files import check_header
from regulars.cleansing.decisions import FIELDS, NEEDED
from regulars.cleansing.review_tab import Cells, ReviewTab
from regulars.contracts import Column, Contract
from regulars.engine import local_engine
from regulars.errors import ConfigError, ContractError, NoSuchFile, TransientError
from regulars.settings import Settings
from regulars.sources.base import Request, make_request
from regulars.sources.config import Sources
from regulars.sources.places import full_path
from regulars.sources.review_entry import place_of
from regulars.sources.sheet import is_export, read_tabs
from regulars.sources.sheet_exports import find_delimiter
from regulars.sources.sheet_table import NoTable, table_of
from regulars.spool import open_spool

ENTRY = "review"
# The header is known by these names; all others are people's own business.
CONTRACT = Contract(
    source=ENTRY,
    table="mappings",
    description="Decisions on mappings",
    columns=tuple(Column(name=name, data_type="varchar", description=name) for name in NEEDED),
    mode="snapshot",
    key=("column", "raw"),
    owner="whoever decides",
)


def review_request(sources: Sources, settings: Settings, as_of: date) -> Request:
    """The request for the tab. Raises ConfigError where sources.yml names none."""
    if sources.review is None:
        raise ConfigError(
            f"{settings.sources_path} has no entry review",
            remedy="name the tab: review: {from: <connection of kind sheet>, spreadsheet: <title>, tabs: [Mappings]}",
        )
    named = sources.model_copy(update={"tables": {CONTRACT.table: sources.review}})
    return make_request(CONTRACT, named, settings, as_of, entry=ENTRY)


def read_review(request: Request) -> ReviewTab:
    """What stands in the tab; one that is missing or empty is a ReviewTab without a header, whose `note` says so.

    Raises ContractError where it is no table of decisions, and what kind `sheet` raises.
    """
    is_file = is_export(request)
    name = request.source.tabs[0] if request.source.tabs else Path(request.source.path or "").stem
    with open_spool(request.settings) as spool, local_engine(request.settings, spool) as engine:
        try:
            tab = read_tabs(request, spool)[0]
            table = table_of(request, tab, engine)
        except (NoTable, NoSuchFile) as error:
            return ReviewTab(place_of(request.source), name, is_file=is_file, note=error.message)
        columns = {found.lower(): position for found, position in table.columns.items()}
        place = f"{tab.source}: row {table.header}"
        check_header(place, columns)
        twice = sorted(table.repeated & set(FIELDS))
        if twice:
            raise ContractError(f"{place}: {twice[0]} stands there twice", remedy="leave one column of that name")
        found = pq.read_table(tab.path)
        rows = zip(found["row"].to_pylist(), found["cells"].to_pylist(), strict=True)
        return ReviewTab(tab.source, tab.name, table.header, columns, dict(rows), is_file)


def write_review(request: Request, tab: ReviewTab, cells: Cells) -> bool:
    """Write these cells into the tab, making it where it is not there: all or none. False where it cannot be as it was read."""
    if read_review(request) != tab:
        return False
    if tab.is_file:
        _write_file(_file(request), tab, cells, request)
        return True
    from regulars.sources.sheet_edits import write_cells
    from regulars.sources.sheet_errors import Altered

    try:
        write_cells(request, cells)
    except Altered:
        return False
    return True


def write_again(place: str) -> TransientError:
    """The error for a tab that is never as it was read."""
    return TransientError(f"{place}: it was edited each time before it could be written", remedy="run again")


def _file(request: Request) -> Path:
    _, full = full_path(request, request.source.path or "")
    if full.startswith("s3://") or request.read.format_of(full) != "csv":
        raise ConfigError(
            f"sources.yml: review.path: {full} is not written: it is no CSV file on this machine",
            remedy="`regulars mappings export FILE` writes one, for you to put there",
        )
    return request.base_dir / full


def _write_file(path: Path, tab: ReviewTab, cells: Cells, request: Request) -> None:
    """The whole file again, in its place at once."""
    known = find_delimiter(path, request) if tab.header else ","
    encoding = "utf-8-sig" if request.read.encoding == "utf-8" else request.read.encoding
    grid = {row: list(texts) for row, texts in tab.rows.items()} | {row: [] for row, _ in cells if row not in tab.rows}
    for (row, column), text in cells.items():
        grid[row] += [None] * (column - len(grid[row]))
        grid[row][column - 1] = text
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    try:
        with open(draft, "w", newline="", encoding=encoding) as file:
            csv.writer(file, delimiter=request.read.delimiter or known).writerows(
                grid.get(row, []) for row in range(1, max(grid) + 1)
            )
        os.replace(draft, path)
    except UnicodeEncodeError:
        raise ConfigError(
            f"{path}: {encoding} has no letters for a value", remedy="leave encoding out: UTF-8"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", remedy="let it be written, or name another place") from None
    finally:
        draft.unlink(missing_ok=True)

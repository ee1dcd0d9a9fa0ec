"""What a reader gives to landing: pieces, each a relation that DuckDB can scan once and in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import duckdb

from regulars.batches import BusinessDay
from regulars.contracts import Contract
from regulars.errors import ConfigError, RegularsError
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources, TableSource
from regulars.sources.options import ReadOptions, read_options

# Columns of ours inside a reading begin so; a source column that does is refused.
RESERVED = "_regulars_"


@dataclass(frozen=True)
class Request:
    """One table and business day, with everything that says where and how to read it.

    `since`: a day from which events are wanted, where that is earlier than the contract's lookback. `entry` is the name of
    its entry in sources.yml.
    """

    contract: Contract
    source: TableSource
    connection: Connection
    base_dir: Path
    settings: Settings
    as_of: date
    read: ReadOptions
    since: date | None = None
    entry: str = ""

    @property
    def table(self) -> str:
        return self.contract.table

    @property
    def day(self) -> BusinessDay:
        return BusinessDay(self.as_of, self.settings.zone)

    @property
    def window(self) -> tuple[datetime, datetime] | None:
        """Half-open UTC window on the event time; None for a snapshot, which is taken whole."""
        if self.contract.mode == "snapshot":
            return None
        return self.day.window(self.lookback_days)

    @property
    def lookback_days(self) -> int:
        """Days before the business day that the window reaches back; 0 for a snapshot."""
        reach = (self.as_of - self.since).days if self.since else 0
        return reach + self.contract.lookback_days if self.contract.mode != "snapshot" else 0

    def fill(self, text: str) -> str:
        """A path with `{as_of}` filled in."""
        return text.replace("{as_of}", self.as_of.isoformat())

    def fill_query(self, query: str, day: str = "date '{}'", moment: str = "timestamp '{}'") -> str:
        """A query with `{as_of}`, `{window_start}` and `{window_end}` as literals, written as the engine writes them."""
        start, end = self.day.window(self.lookback_days)
        literals = {
            "{as_of}": day.format(self.as_of.isoformat()),
            "{window_start}": moment.format(start.isoformat(sep=" ")),
            "{window_end}": moment.format(end.isoformat(sep=" ")),
        }
        for name, literal in literals.items():
            query = query.replace(name, literal)
        return query.strip().rstrip(";")


@dataclass(frozen=True)
class Piece:
    """One source file or table.

    `relation` is a SELECT whose rows come in source order; `columns` are its (name, DuckDB type). All else is SQL over
    it: `record` the 1-based record number (None: the position of the row, which `numbered` gives where counting the rows
    can be spared), `raw` a row's raw form (None: a JSON object
    of its columns), `broken` why a record is malformed (null: it is not). `count` is a cheaper SELECT of the number of all rows,
    `rejects` one of the records that could not be taken apart (record_number, byte_offset, rule, reason, raw).
    `absent_is_null`: a column that the source does not show is null (JSON leaves keys out).
    `repeated`: names, in lower case, that stand in the source more than once. `nulls_are_read`:
    `read.null_values` are null already. `is_windowed`: only rows of the day come, landing need not cut them out.
    `explain` says in our words what the engine said of the source. `salvage` reads a damaged source again, more
    patiently, given what the first reading said. `session` lends an engine session to read it in, where pieces may be
    read side by side; None: it is read in that of the landing.
    """

    source: str
    relation: str
    columns: tuple[tuple[str, str], ...]
    record: str | None = None
    numbered: str | None = None
    raw: str | None = None
    rejects: str | None = None
    broken: str | None = None
    count: str | None = None
    absent_is_null: bool = False
    nulls_are_read: bool = False
    is_windowed: bool = False
    repeated: frozenset[str] = frozenset()
    explain: Callable[[duckdb.Error], RegularsError] | None = field(default=None, compare=False)
    salvage: Callable[[str], Piece] | None = field(default=None, compare=False)
    session: Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]] | None = field(default=None, compare=False)
    position: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def describe(engine: duckdb.DuckDBPyConnection, query: str) -> tuple[tuple[str, str], ...]:
    """(name, type) of the columns of a SELECT."""
    return tuple((str(row[0]), str(row[1])) for row in engine.execute(f"describe {query}").fetchall())


class Reader(Protocol):
    """A kind of source."""

    def open(
        self, request: Request, engine: duckdb.DuckDBPyConnection, spool: Path
    ) -> AbstractContextManager[Iterator[Piece]]:
        """The pieces of one table and day, in order; valid while the context is open.

        Raises SourceError, ContractError, ConfigError or TransientError with the source's name and a remedy.
        """

    def plan(self, request: Request) -> list[dict[str, Any]]:
        """What `open` would read; nothing is read but names, sizes and column lists."""

    def is_live(self, request: Request) -> bool:
        """Whether the source only shows its present state (a past day cannot be asked for)."""

    def is_dated(self, request: Request) -> bool:
        """Whether path, query or cursor say what belongs to the day, whatever the event time of a row."""


def make_request(
    contract: Contract, sources: Sources, settings: Settings, as_of: date, since: date | None = None, entry: str = ""
) -> Request:
    """The request for one table. Raises ConfigError where sources.yml does not name the table."""
    source, entry = sources.tables.get(contract.table), entry or f"tables.{contract.table}"
    if source is None:
        raise ConfigError(
            f"sources.yml has no entry for table {contract.table}",
            remedy=f"add {entry} to sources.yml, or leave the table out of the run",
        )
    return Request(
        contract,
        source,
        sources.connections[source.connection],
        sources.base_dir,
        settings,
        as_of,
        read_options(entry, source.read),
        since,
        entry,
    )

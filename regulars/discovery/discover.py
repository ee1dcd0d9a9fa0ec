"""From a folder, a url or a connection to what is found in its tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from regulars.contracts import Contract
from regulars.discovery.columns import find_columns
from regulars.discovery.databases import database_tables
from regulars.discovery.folders import file_tables
from regulars.discovery.found import Guess, Shelf, TableFound
from regulars.discovery.keys import find_event_time, find_key, find_mode
from regulars.discovery.names import contract_name
from regulars.discovery.sample import take_sample
from regulars.engine import local_engine
from regulars.engine_errors import without_values
from regulars.errors import ConfigError, RegularsError, SourceError
from regulars.own_addresses import with_own_addresses
from regulars.settings import Settings
from regulars.sources.config import BLOCK, VARIABLE, Connection, Sources
from regulars.sources.sql_dialects import SCHEMES
from regulars.spool import open_spool


@dataclass(frozen=True)
class Discovered:
    """`group`: name of source, connection and folder. `connection` as sources.yml is to say it, without any secret;
    `variable` must hold the url, where the file cannot. `failed`: what could not be looked into, and why."""

    group: str
    connection_name: str
    connection: Connection
    variable: str | None
    tables: tuple[TableFound, ...]
    failed: tuple[RegularsError, ...]


def discover(
    place: str,
    settings: Settings,
    sources: Sources | None = None,
    *,
    group: str | None = None,
    only: str | None = None,
    rows: int = 100_000,
    contracts: Mapping[str, Contract] | None = None,
    fill: Callable[[str, Connection], Connection] = lambda name, connection: connection,
    progress: Callable[[TableFound], None] = lambda found: None,
) -> Discovered:
    """Look into the tables at `place`: a folder or file, the url of a database, or a connection of `sources`.

    At most `rows` rows of each table are looked at. `contracts`: those that are there already; their names are not given again.
    `fill` takes variables and blocks of a connection of `sources` in, which drafts keep as they are.
    Raises ConfigError for a place that is none of these, SourceError or TransientError where it cannot be read.
    """
    if group is not None and contract_name(group, "x") != group:
        raise ConfigError(f"{group!r} is no name for a group", remedy=f"such as --name {contract_name(group, 'shop')}")
    name, shown, live = _connection(place, sources, group)
    if sources is not None and place in sources.connections:
        live = fill(place, live)
    variable = None
    is_open = shown.url and not VARIABLE.fullmatch(shown.url) and not BLOCK.fullmatch(shown.url)
    if is_open and not str(shown.url).startswith("embedded:"):
        variable = f"{name.upper()}_URL"
        shown = shown.model_copy(update={"url": f"${{{variable}}}"})
    group = group or contract_name(name, "source")
    taken = contracts or {}
    if group in {contract.source for contract in taken.values()}:
        raise ConfigError(
            f"the project has a group {group} already",
            remedy=f"give the drafts another one, such as --name {group}_new",
        )
    if live.kind == "sheet":
        raise ConfigError(
            f"{name}: a shared sheet is not looked into",
            remedy="describe its table by hand (docs/sources.md, kind sheet), or export it and discover the folder of the exports",
        )
    if live.kind == "files":
        is_named = sources is not None and place in sources.connections
        shelves = _of_files(live, None if is_named else Path(place))
    else:
        database = with_own_addresses(Sources(connections={name: live}, tables={}), settings).connections[name]
        shelves, live = database_tables(name, database, rows, only), database
    if only:
        shelves = [
            shelf for shelf in shelves if only in (shelf.table, shelf.entry.get("table")) or live.kind != "files"
        ]
    if not shelves:
        raise ConfigError(f"no table {only!r} at {name}", remedy="leave --table out to see all of them")
    found, failed = [], []
    for shelf in (_free(shelf, group, taken) for shelf in shelves):
        try:
            found.append(look_into(shelf, live, settings, rows))
            progress(found[-1])
        except RegularsError as error:
            failed.append(error)
        except duckdb.Error as error:  # its words may quote a value
            said = f"table {shelf.table}: {without_values(str(error))}"
            failed.append(SourceError(said, remedy="look at fewer rows (--rows), or describe the table by hand"))
    return Discovered(group, name, shown, variable, tuple(found), tuple(failed))


def look_into(shelf: Shelf, connection: Connection, settings: Settings, rows: int) -> TableFound:
    """Everything that a sample of one table tells."""
    with open_spool(settings) as spool, local_engine(settings, spool) as engine:
        sample = take_sample(shelf, connection, settings, engine, spool, rows)
        columns = find_columns(engine, sample)
        key = find_key(engine, sample, columns.found, shelf.key)
        event_time = find_event_time(columns.found)
        mode = find_mode(engine, sample, columns.found, key.value, event_time.value)
        engine.execute(f"drop table {sample.name}")
    if not key.value and event_time.value and mode.value != "append":
        mode = replace(mode, value="append", ask=mode.ask or "snapshot and upsert need a key: is there none?")
    if not key.value and mode.value != "append":  # a contract of a snapshot names one
        key = replace(key, value=(columns.found[0].name,))
    if mode.value == "snapshot":
        event_time = Guess(None)
    return TableFound(
        shelf,
        sample.rows,
        columns.found,
        key,
        mode,
        event_time,
        {**sample.read, **columns.read},
        (*sample.read_why, *columns.read_why),
    )


def _connection(place: str, sources: Sources | None, group: str | None) -> tuple[str, Connection, Connection]:
    """Name, the connection as a file may show it, and the one to read from now."""
    if sources is not None and place in sources.connections:
        return place, sources.connections[place], sources.connections[place]
    scheme = urlsplit(place).scheme
    if scheme in SCHEMES or place.startswith("embedded:"):
        is_embedded = place.startswith("embedded:")
        kind = "postgres" if SCHEMES.get(scheme) == "postgresql" or is_embedded else "sql"
        # What stands where the database should may be a part of the password: a name with an @ is none.
        database = place.removeprefix("embedded:") if is_embedded else urlsplit(place).path.rsplit("/", 1)[-1]
        database = "" if "@" in urlsplit(place).path else database
        made = Connection(kind=kind, url=place)
        return group or contract_name(database, "database"), made, made
    if "://" in place:
        raise ConfigError(
            f"{scheme}:// is nothing that discover reads",
            remedy=f"give a local folder or file (of S3, fetch a few days first), or a url of {', '.join(sorted(SCHEMES))}",
        )
    path = Path(place).expanduser()
    if not path.exists() and "@" in place:
        raise ConfigError(
            "what is given is neither a path nor a url", remedy="such as mysql://user:password@host/database"
        )
    if not path.exists() and re.fullmatch(r"\w+", place):
        known = ", ".join(sorted(sources.connections)) if sources else "none"
        raise ConfigError(f"{place} is neither a path nor a connection of sources.yml", remedy=f"connections: {known}")
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    made = Connection(kind="files", path=str(folder))
    return group or contract_name(folder.name, "files"), made, made


def _of_files(connection: Connection, root: Path | None) -> list[Shelf]:
    folder = root.expanduser().resolve() if root else Path(connection.path or "").expanduser()
    if str(folder).startswith("s3:"):
        raise ConfigError(
            "discover looks into local files only",
            remedy="fetch a few days of them, and change path in the draft afterwards",
        )
    return file_tables(folder)


def _free(shelf: Shelf, group: str, taken: Collection[str]) -> Shelf:
    return shelf if shelf.table not in taken else shelf.with_table(contract_name(f"{group}_{shelf.table}", "table"))

"""sources.yml: where each raw table of this place comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from regulars.contracts import Contract
from regulars.errors import ConfigError
from regulars.settings import environment_value, without_login
from regulars.sources.review_entry import check_review

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
BLOCK = re.compile(r"\{\{\s*prefect\.blocks\.([a-z0-9-]+)\.([A-Za-z0-9_-]+)\s*\}\}")
ResolveBlock = Callable[[str, str], str]
MOVERS = ("airbyte",)  # kinds of connections that move rows
SYNC_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Connection(BaseModel):
    """A system to read from. `options` are the kind's own: see docs/sources.md. Never shown: urls hold secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(pattern=r"^[a-z0-9_]+$")
    url: str | None = Field(None, repr=False)
    credentials: str | None = Field(None, repr=False)
    path: str | None = None
    options: dict[str, Any] = Field(default_factory=dict, repr=False)

    @field_validator("path")
    @classmethod
    def _without_login(cls, value: str | None) -> str | None:
        return without_login(value)


class TableSource(BaseModel):
    """Where one raw table comes from; `columns` maps contract columns to source columns or DuckDB expressions.

    `via: stage` lets Snowflake read the files; expressions are its SQL then. `mover` names a connection to a system that brings the
    rows to where they are read `from`, by its own job `sync`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    connection: str = Field(alias="from", pattern=r"^[A-Za-z0-9_. -]+$")
    via: Literal["stage"] | None = None
    mover: str | None = None
    sync: str | None = None
    table: str | None = None
    path: str | None = None
    query: str | None = None
    files: dict[str, str] = {}
    spreadsheet: str | None = None
    tabs: tuple[str, ...] = ()
    header_row: int | None = Field(None, ge=1)
    dates: tuple[str, ...] = ()
    read: dict[str, Any] = {}
    columns: dict[str, str] = {}
    where: str | None = None
    source_where: str | None = None
    cursor: str | None = None
    required: bool = True

    @field_validator("tabs", "dates", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        """One name or several; YAML takes a tab called 2024 for a number."""
        return tuple(str(name) for name in (value if isinstance(value, list | tuple) else [value]))


class Sources(BaseModel):
    """The whole file. `sheets` go into the operational store, `tables` into the warehouse; in the tab `review` people decide
    on mappings of the sheets. `population: union` makes a member of whoever appears in any table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connections: dict[str, Connection]
    tables: dict[str, TableSource]
    sheets: dict[str, TableSource] = {}
    review: TableSource | None = None
    population: Literal["contract", "union"] = "contract"
    base_dir: Path = Path()

    def connection_of(self, table: str) -> Connection:
        return self.connections[self.tables[table].connection]

    @property
    def of_sheets(self) -> Sources:
        """The same file with its sheets as the tables that are read."""
        return self.model_copy(update={"tables": self.sheets, "sheets": {}, "review": None})

    def connections_used(self, names: Container[str] | None = None) -> set[str]:
        """Names of the connections that those tables and sheets (None: all) are read from or moved by. Whoever needs a
        sheet needs the tab in which its mappings are reviewed."""
        entries = [*self.tables.items(), *self.sheets.items()]
        used = [entry for name, entry in entries if names is None or name in names]
        if self.review is not None and (names is None or any(sheet in names for sheet in self.sheets)):
            used.append(self.review)
        return {name for entry in used for name in (entry.connection, entry.mover) if name is not None}


def read_sources(
    path: Path,
    contracts: Mapping[str, Contract],
    resolve_block: ResolveBlock | None = None,
    needed: set[str] | None = None,
    sheets: Mapping[str, Contract] | None = None,
) -> Sources:
    """sources.yml with `${NAME}` taken from the environment and `{{ prefect.blocks.<type>.<name> }}` from `resolve_block`.

    `needed` limits the connections whose secrets are looked up to those of the named tables and sheets. `sheets` are the
    contracts of these; None leaves their entries, and `review`, unread. Relative paths in the file are relative to the file. Raises
    ConfigError that names file, entry and field, and never shows a value.
    """
    if not path.exists():
        raise ConfigError(f"{path} does not exist", remedy="set REGULARS_SOURCES to your sources.yml")
    try:
        document = yaml.safe_load(path.read_text())
        if not isinstance(document, dict | None):
            raise ConfigError(f"{path}: not a mapping with connections and tables", remedy="docs/sources.md shows one")
        raw = Sources.model_validate({**(document or {}), "base_dir": path.absolute().parent})
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        raise ConfigError(
            f"{path}: not YAML{f', line {place.line + 1}' if place else ''}", remedy="correct the file"
        ) from None
    except ValidationError as error:
        raise _wrong_field(path, error) from None
    _check_names(path, "tables", raw.tables, raw, contracts)
    if sheets is not None:
        _check_names(path, "sheets", raw.sheets, raw, sheets)
        check_review(path, raw)
    without = raw.model_copy(update={"sheets": {}, "review": None})
    used = (raw if sheets is not None else without).connections_used(needed)
    connections = {
        name: fill_connection(path, name, connection, resolve_block) if name in used else connection
        for name, connection in raw.connections.items()
    }
    return raw.model_copy(update={"connections": connections})


def _check_names(
    path: Path, place: str, entries: Mapping[str, TableSource], sources: Sources, contracts: Mapping[str, Contract]
) -> None:
    for table, source in entries.items():
        if table not in contracts:
            raise ConfigError(
                f"{path}: {place}.{table}: there is no contract of that name",
                remedy=f"one of: {', '.join(sorted(contracts))}",
            )
        if source.connection not in sources.connections:
            raise ConfigError(
                f"{path}: {place}.{table}.from: no connection {source.connection!r}", remedy="add it under connections"
            )
        _check_mover(f"{path}: {place}.{table}", source, sources.connections)
        unknown = set(source.columns) - set(contracts[table].by_name)
        if unknown:
            raise ConfigError(
                f"{path}: {place}.{table}.columns: {', '.join(sorted(unknown))} not in the contract",
                remedy=f"contract columns: {', '.join(contracts[table].by_name)}",
            )


def _check_mover(place: str, source: TableSource, connections: Mapping[str, Connection]) -> None:
    movers = sorted(name for name, connection in connections.items() if connection.kind in MOVERS)
    if source.connection in movers:
        raise ConfigError(
            f"{place}.from: {source.connection} moves rows, and none can be read from it",
            remedy=f"name the connection to the place that it moves them to, and {source.connection} as mover",
        )
    if source.mover is None and source.sync is None:
        return
    if source.mover is None or source.sync is None:
        lacking = "mover" if source.mover is None else "sync"
        raise ConfigError(
            f"{place}: mover and sync belong together, and {lacking} is not there",
            remedy="mover: a connection of kind airbyte, sync: the id of a connection in Airbyte",
        )
    if source.mover not in movers:
        what = f"is of kind {connections[source.mover].kind}" if source.mover in connections else "is no connection"
        raise ConfigError(
            f"{place}.mover: {source.mover!r} {what}",
            remedy=f"one of: {', '.join(movers)}" if movers else "add a connection of kind airbyte",
        )
    if not SYNC_ID.fullmatch(source.sync):
        raise ConfigError(
            f"{place}.sync: it is not the id of a connection in Airbyte",
            remedy="it is in the address of the connection's page there, such as 18dccc91-0ab1-4f72-9ed7-0b8fc27c5826",
        )
    if connections[source.connection].options.get("one_snapshot"):
        raise ConfigError(
            f"{place}.mover: connections.{source.connection} has one_snapshot, which is taken before anything is moved",
            remedy="read what is moved through a connection without it",
        )


def fill_connection(path: Path, name: str, connection: Connection, resolve_block: ResolveBlock | None) -> Connection:
    """The connection with its variables and blocks taken in. Raises ConfigError that names those that are not there."""

    def variable(match: re.Match[str]) -> str:
        value = environment_value(match[1])
        if value is None:
            raise ConfigError(
                f"{path}: connections.{name}: ${{{match[1]}}} is not set",
                remedy=f"set {match[1]} in the environment or in .env",
            )
        return value

    def block(match: re.Match[str]) -> str:
        if resolve_block is None:
            raise ConfigError(
                f"{path}: connections.{name}: block {match[1]}/{match[2]} needs Prefect",
                remedy="use ${NAME} here, or run by a flow",
            )
        return resolve_block(match[1], match[2])

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return BLOCK.sub(block, VARIABLE.sub(variable, value))
        if isinstance(value, dict):
            return {key: fill(item) for key, item in value.items()}
        return [fill(item) for item in value] if isinstance(value, list) else value

    try:
        return Connection(**{key: fill(value) for key, value in connection.model_dump().items()})
    except ValidationError as error:
        raise _wrong_field(path, error, f"connections.{name}.") from None


def _wrong_field(path: Path, error: ValidationError, prefix: str = "") -> ConfigError:
    first = error.errors(include_input=False, include_url=False)[0]
    field = prefix + ".".join(str(part) for part in first["loc"])
    return ConfigError(f"{path}: {field}: {first['msg']}", remedy="docs/sources.md lists the fields")

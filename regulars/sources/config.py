"""sources.yml: where each raw table of this place comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from regulars.contracts import Contract
from regulars.errors import ConfigError
from regulars.settings import environment_value, without_login

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
BLOCK = re.compile(r"\{\{\s*prefect\.blocks\.([a-z0-9-]+)\.([A-Za-z0-9_-]+)\s*\}\}")
ResolveBlock = Callable[[str, str], str]


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

    `via: stage` lets Snowflake read the files; expressions are its SQL then."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    connection: str = Field(alias="from", pattern=r"^[A-Za-z0-9_. -]+$")
    via: Literal["stage"] | None = None
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
    """The whole file. `sheets` go into the operational store, `tables` into the warehouse. `population: union` makes a
    member of whoever appears in any table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connections: dict[str, Connection]
    tables: dict[str, TableSource]
    sheets: dict[str, TableSource] = {}
    population: Literal["contract", "union"] = "contract"
    base_dir: Path = Path()

    def connection_of(self, table: str) -> Connection:
        return self.connections[self.tables[table].connection]

    @property
    def of_sheets(self) -> Sources:
        """The same file with its sheets as the tables that are read."""
        return self.model_copy(update={"tables": self.sheets, "sheets": {}})


def read_sources(
    path: Path,
    contracts: Mapping[str, Contract],
    resolve_block: ResolveBlock | None = None,
    needed: set[str] | None = None,
    sheets: Mapping[str, Contract] | None = None,
) -> Sources:
    """sources.yml with `${NAME}` taken from the environment and `{{ prefect.blocks.<type>.<name> }}` from `resolve_block`.

    `needed` limits the connections whose secrets are looked up to those of the named tables and sheets. `sheets` are the
    contracts of these; None leaves their entries unread. Relative paths in the file are relative to the file. Raises
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
    entries = [*raw.tables.items(), *(raw.sheets.items() if sheets is not None else ())]
    used = {entry.connection for name, entry in entries if needed is None or name in needed}
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
        unknown = set(source.columns) - set(contracts[table].by_name)
        if unknown:
            raise ConfigError(
                f"{path}: {place}.{table}.columns: {', '.join(sorted(unknown))} not in the contract",
                remedy=f"contract columns: {', '.join(contracts[table].by_name)}",
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

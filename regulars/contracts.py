"""Contracts of raw tables, read from the dbt sources YAML: the one place that lists their columns."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from regulars.errors import ConfigError

Mode = Literal["snapshot", "append", "upsert"]
Pii = Literal["email", "name", "phone", "address", "free_text", "id"]
IDENTIFIERS: frozenset[str] = frozenset({"email", "phone", "id"})  # kinds that get a pseudonym; the others end in raw
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
TYPE = re.compile(r"varchar|bigint|double|boolean|date|timestamp|decimal\(\d{1,2},\s*\d{1,2}\)")


class Column(BaseModel):
    """One column: its landing type and the row rules that send a bad row to quarantine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    data_type: str
    description: str = Field(min_length=1)
    required: bool = False
    enum: tuple[str, ...] = ()
    min: float | str | None = None
    max: float | str | None = None
    unit: str | None = None
    pii: Pii | None = None
    track: bool = False

    @field_validator("data_type")
    @classmethod
    def _known_type(cls, value: str) -> str:
        if not TYPE.fullmatch(value):
            raise ValueError(
                f"data_type {value!r} is none of varchar, bigint, double, boolean, date, timestamp, decimal(p,s)"
            )
        return value.replace(" ", "")

    @field_validator("enum", mode="before")
    @classmethod
    def _enum_as_text(cls, value: Any) -> Any:
        return tuple(str(item) for item in value) if isinstance(value, list) else value

    @property
    def pseudonym(self) -> str | None:
        """Name of the column that carries the keyed hash of this one, or None."""
        return f"{self.name}_hash" if self.pii in IDENTIFIERS else None


class Contract(BaseModel):
    """One raw table: columns, key, how a day of it is read and what bad rows mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    table: str
    description: str = Field(min_length=1)
    columns: tuple[Column, ...] = Field(min_length=1)
    mode: Mode
    key: tuple[str, ...] = ()
    event_time: str | None = None
    sequence: str | None = None
    lookback_days: int = Field(3, ge=0)
    owner: str
    duplicates: Literal["drop", "keep"] = "drop"
    on_drift: Literal["freeze", "evolve", "quarantine"] = "freeze"
    deleted_when: str | None = None
    population: bool = False
    warn_after_days: int | None = None
    error_after_days: int | None = None

    @model_validator(mode="after")
    def _columns_exist(self) -> Contract:
        names = [column.name for column in self.columns]
        for name in [self.table, *names]:
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not a lower-case name of letters, digits and underscores")
        if len(set(names)) != len(names):
            raise ValueError("a column is listed twice")
        roles = [*(("key", k) for k in self.key), ("event_time", self.event_time), ("sequence", self.sequence)]
        for role, role_name in roles:
            if role_name is not None and role_name not in names:
                raise ValueError(f"{role} names {role_name!r}, which is not among the columns")
        if self.mode in ("snapshot", "upsert") and not self.key:
            raise ValueError(f"mode {self.mode} needs a key")
        if self.mode in ("append", "upsert") and self.event_time is None:
            raise ValueError(f"mode {self.mode} needs an event_time")
        return self

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @property
    def landed_columns(self) -> tuple[tuple[str, str], ...]:
        """(name, type) of every landed column: the contract's, then a pseudonym for each identifying one."""
        plain = tuple((column.name, column.data_type) for column in self.columns)
        return plain + tuple((column.pseudonym, "varchar") for column in self.columns if column.pseudonym)

    @property
    def personal_columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.pii)

    def fingerprint(self) -> str:
        """Hash of everything that can change data (descriptions and owners cannot), 16 hex digits."""
        facts = self.model_dump(mode="json", exclude={"description", "owner"})
        for column in facts["columns"]:
            del column["description"], column["unit"]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def read_contracts(models_dir: Path, column: type[Column] = Column) -> dict[str, Contract]:
    """Contracts by table name, from every `_*__sources.yml` below `models_dir`; `column` is the model of their columns.

    Raises ConfigError with file, table and field where an entry is wrong.
    """
    contracts: dict[str, Contract] = {}
    for path in sorted(models_dir.rglob("_*__sources.yml")):
        try:
            document = yaml.safe_load(path.read_text())
        except yaml.YAMLError as error:
            raise ConfigError(f"{path.name}: not YAML: {error}", remedy="correct the file") from None
        for source in document.get("sources") or []:
            for table in source.get("tables") or []:
                contract = _read_table(path, source["name"], table, column)
                if contract.table in contracts:
                    raise ConfigError(
                        f"{path.name}: table {contract.table} is described twice", remedy="rename one of them"
                    )
                contracts[contract.table] = contract
    if not contracts:
        raise ConfigError(
            f"no contracts below {models_dir}", remedy="run from a checkout that has dbt/warehouse/models/staging"
        )
    return contracts


def _read_table(path: Path, source: str, table: dict[str, Any], kind: type[Column]) -> Contract:
    name = table.get("name", "?")
    config = table.get("config") or {}
    freshness = config.get("freshness") or {}
    try:
        return Contract(
            source=source,
            table=name,
            description=table.get("description", ""),
            columns=tuple(_read_column(column, kind) for column in table.get("columns") or []),
            warn_after_days=_days(freshness.get("warn_after")),
            error_after_days=_days(freshness.get("error_after")),
            **(config.get("meta") or {}),
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "table"
        raise ConfigError(
            f"{path.name}: contract {source}.{name}: {place}: {first['msg']}",
            remedy="correct the entry; docs/contracts.md lists the fields",
        ) from None


def _read_column(column: dict[str, Any], kind: type[Column]) -> Column:
    meta = dict((column.get("config") or {}).get("meta") or {})
    return kind(
        name=str(column.get("name", "")),
        data_type=str(column.get("data_type", "")),
        description=column.get("description", ""),
        **meta,
    )


def _days(limit: dict[str, Any] | None) -> int | None:
    """Whole days that a limit lets pass: ages are counted in days, so 60 hours are two of them and 12 hours none."""
    if not limit:
        return None
    return timedelta(**{f"{limit['period']}s": int(limit["count"])}).days


def resolve_bound(bound: float | str, as_of: date) -> float | str:
    """A `min` or `max` of a contract: `as_of` stands for the business date of the batch."""
    return as_of.isoformat() if bound == "as_of" else bound

"""What an account holds for one deployment: names, roles, sizes, personal columns, and who may read what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from regulars.account.grants import Grant
from regulars.account.spec import SIZES, AccountSpec, Size
from regulars.account.teams import TeamView, read_teams
from regulars.contracts import Contract, read_contracts
from regulars.segments.config import read_segments
from regulars.settings import Settings
from regulars.snowflake_settings import LAYERS, Layer
from regulars.warehouse import snowflake_tables as tables

LOADED = ("raw", "quarantine", "ops")  # schemas of what flows write by themselves
BUILT = ("staging", "intermediate", "marts", "segments")  # schemas of what dbt makes
PUBLISHED = ("marts", "segments", "ops")
AnyLayer = Layer | Literal["read"]
ALL_LAYERS: tuple[AnyLayer, ...] = (*LAYERS, "read")
MASKED_TYPES = {"varchar": "VARCHAR", "bigint": "NUMBER", "double": "FLOAT", "timestamp": "TIMESTAMP_NTZ"}
RAW_FORMS = ("reason", "raw")  # columns of quarantine that repeat what a source sent, whatever it was


@dataclass(frozen=True)
class Warehouse:
    """A virtual warehouse."""

    name: str
    size: Size
    suspend_seconds: int


@dataclass(frozen=True)
class Mask:
    """A column that only the loader sees: `kind` is the contract's `pii`, `data_type` the policy's."""

    schema: str
    table: str
    column: str
    kind: str
    data_type: str


@dataclass(frozen=True)
class Account:
    """Everything that the templates and the checks know. Roles are named after the database, so that one account holds

    a database for each of development, staging and production."""

    settings: Settings
    spec: AccountSpec
    contracts: Mapping[str, Contract]
    teams: Mapping[str, tuple[TeamView, ...]]
    places: Mapping[str, tuple[str, ...]]  # folders of a team's deliveries

    @property
    def database(self) -> str:
        return self.settings.snowflake.database

    @property
    def published(self) -> str:
        return self.settings.snowflake.readers_database

    def role(self, part: str) -> str:
        """Name of a role, for example of `loader` or of a team."""
        return f"{self.database}_{identifier_of(part)}".upper()

    @property
    def limited_teams(self) -> tuple[str, ...]:
        """Teams that read only what their exposures name."""
        return tuple(team for team in self.teams if team not in self.spec.readers_of_everything)

    @property
    def all_roles(self) -> tuple[str, ...]:
        parts = (
            "loader",
            "transformer",
            "reader",
            "dashboard",
            *sorted({*self.teams, *self.spec.readers_of_everything}),
        )
        return tuple(self.role(part) for part in parts)

    def warehouse_of(self, layer: AnyLayer) -> str:
        """Name of the virtual warehouse of a layer; the readers have their own."""
        named = None if layer == "read" else self.settings.snowflake.warehouse_of(layer)
        return (named or f"{self.database}_{layer}").upper()

    @cached_property
    def warehouses(self) -> tuple[Warehouse, ...]:
        """Those of the settings; where layers share one, with the largest size and the longest wait asked for."""
        found: dict[str, Warehouse] = {}
        for layer in ALL_LAYERS:
            spec = self.spec.warehouses.get(layer)
            name = self.warehouse_of(layer)
            size, wait = (spec.size, spec.suspend_seconds) if spec else ("XSMALL", 60)
            before = found.get(name)
            if before:
                size, wait = max(size, before.size, key=SIZES.index), max(wait, before.suspend_seconds)
            found[name] = Warehouse(name, size, wait)
        return tuple(found.values())

    @property
    def integration(self) -> str | None:
        return self.settings.snowflake.storage_integration

    @property
    def landing_url(self) -> str | None:
        return _s3(self.settings.landing_url)

    @property
    def delivery_url(self) -> str | None:
        return _s3(self.settings.delivery_url)

    @property
    def locations(self) -> tuple[str, ...]:
        """What the storage integration may read."""
        return tuple(url for url in (self.landing_url, self.delivery_url, *self.spec.read_locations) if url)

    @property
    def raw_tables(self) -> tuple[str, ...]:
        """CREATE TABLE of raw, quarantine and ops: the statements of the engine itself."""
        raw = (tables.raw_table(contract) for contract in self.contracts.values())
        return (*raw, *tables.quarantine_tables(), *tables.ops_tables())

    @property
    def masks(self) -> tuple[Mask, ...]:
        """Every personal column of the contracts, and the columns of quarantine that may repeat one."""
        personal = [
            Mask("raw", contract.table, column.name, column.pii, masked_type(column.data_type))
            for contract in self.contracts.values()
            for column in contract.columns
            if column.pii
        ]
        rejects = tables.REJECTS_TABLE.split(".")[1]
        return (*personal, *(Mask("quarantine", rejects, column, "raw_form", "VARCHAR") for column in RAW_FORMS))

    @property
    def masked_types(self) -> tuple[str, ...]:
        return tuple(sorted({mask.data_type for mask in self.masks}))

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """Privileges of every role, besides what it owns because it made it."""
        loader, transformer, reader = (self.role(part) for part in ("loader", "transformer", "reader"))
        wanted = self._engine_grants(loader, ("load",), LOADED)
        wanted += [
            Grant("OWNERSHIP", kind, (self.database, schema), loader, future=True)
            for schema in LOADED
            for kind in ("TABLE", "VIEW", "STAGE")
        ]
        wanted += [Grant("USAGE", "ROLE", (loader,), transformer)]
        wanted += self._engine_grants(transformer, LAYERS, BUILT)
        for table in self.spec.read_tables:
            *database, schema, table_name = table.split(".")
            place = (database[0] if database else self.database, schema)
            wanted += [
                Grant("USAGE", "DATABASE", place[:1], loader),
                Grant("USAGE", "SCHEMA", place, loader),
                Grant("SELECT", "TABLE", (*place, table_name), loader),
            ]
        wanted += [
            Grant(privilege, "DATABASE", (self.published,), transformer) for privilege in ("USAGE", "CREATE SCHEMA")
        ]
        # A publication grants what is in a schema to the reader (REGULARS_SNOWFLAKE__READERS): here is what lasts.
        wanted += [Grant("USAGE", "DATABASE", (self.published,), reader)]
        wanted += [Grant("USAGE", "WAREHOUSE", (self.warehouse_of("read"),), reader)]
        wanted += [
            Grant("USAGE", "ROLE", (reader,), self.role(part))
            for part in ("dashboard", *self.spec.readers_of_everything)
        ]
        for team in self.limited_teams:
            role, home = self.role(team), (self.published, team_schema(team))
            wanted += [
                Grant("USAGE", "DATABASE", (self.published,), role),
                Grant("USAGE", "SCHEMA", home, role),
                Grant("SELECT", "VIEW", home, role, future=True),
                Grant("USAGE", "WAREHOUSE", (self.warehouse_of("read"),), role),
            ]
            if self.delivery_url and self.integration:
                wanted += [Grant("USAGE", "STAGE", (*home, f"deliveries_{n}"), role) for n, _ in self.stages_of(team)]
                wanted += [
                    Grant("USAGE", "FILE FORMAT", (*home, kind), role)
                    for kind in ("delivered_csv", "delivered_parquet")
                ]
        return tuple(dict.fromkeys(wanted))

    def _engine_grants(self, role: str, layers: tuple[Layer, ...], schemas: tuple[str, ...]) -> list[Grant]:
        """What a role needs that runs flows and owns `schemas`."""
        found = [Grant("USAGE", "DATABASE", (self.database,), role)]
        found += [Grant("OWNERSHIP", "SCHEMA", (self.database, schema), role) for schema in schemas]
        found += [Grant("USAGE", "WAREHOUSE", (self.warehouse_of(layer),), role) for layer in layers]
        if self.integration:
            found.append(Grant("USAGE", "INTEGRATION", (self.integration,), role))
        return found

    def stages_of(self, team: str) -> list[tuple[int, str]]:
        """Numbers and URLs of the stages of a team's deliveries, one for each folder."""
        root = (self.delivery_url or "").rstrip("/")
        return [(number, f"{root}/{place}/") for number, place in enumerate(self.places.get(team, ()), start=1)]


def plan_account(settings: Settings, spec: AccountSpec) -> Account:
    """The account of these settings. Raises ConfigError where contracts, exposures or segments are wrong."""
    models = settings.dbt_project_dir / "models"
    contracts = read_contracts(models / "staging")
    segments = read_segments(models, contracts).values()
    teams = read_teams(models)
    for segment in segments:
        teams.setdefault(segment.delivery.team, ())
    places = {
        team: tuple(sorted({one.folder.rsplit("/", 1)[0] for one in segments if one.delivery.team == team}))
        for team in teams
    }
    return Account(settings, spec, contracts, teams, places)


def identifier_of(label: str) -> str:
    """A team's name as part of an object's name: letters, digits and underscores."""
    return re.sub(r"[^A-Za-z0-9]+", "_", label).strip("_").upper() or "TEAM"


def team_schema(team: str) -> str:
    return f"TEAM_{identifier_of(team)}"


def masked_type(data_type: str) -> str:
    """The data type of the policy that fits a column of a contract's type."""
    return "NUMBER" if data_type.startswith("decimal") else MASKED_TYPES.get(data_type, data_type.upper())


def _s3(url: str | None) -> str | None:
    return url.rstrip("/") + "/" if url and url.startswith("s3://") else None


def account_folder(settings: Settings) -> Path:
    """Where the templates and account.yml are."""
    return settings.dbt_project_dir.parent.parent / "deployments" / "snowflake"

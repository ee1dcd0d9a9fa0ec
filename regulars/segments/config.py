"""Delivery settings of segments, read from the dbt YAML beside their models: the one place that says who gets what."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from regulars.contracts import NAME, Contract, read_contracts
from regulars.errors import ConfigError

Format = Literal["csv", "parquet"]
Policy = Literal["drop", "hash", "allow"]
Name = Annotated[str, StringConstraints(pattern=rf"^{NAME.pattern}$")]
MEMBER = "user_id"
RESERVED = frozenset({"withheld", "is_entered", "formula_cells"})  # columns that a delivery adds for itself


class DeliverySettings(BaseModel):
    """`config.meta.delivery` of a segment model. `holdout_pct` is the share of members kept out, in per cent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    team: str = Field(min_length=1)
    place: str | None = None
    columns: tuple[Name, ...] = Field(min_length=1)
    formats: tuple[Format, ...] = Field(("csv", "parquet"), min_length=1)
    personal_data: dict[Name, Policy] = {}
    consent: Name | None = None
    holdout_pct: float = Field(0, ge=0, le=50)

    @field_validator("place")
    @classmethod
    def _inside_the_root(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*", value):
            raise ValueError(f"{value!r} is not a folder name below the delivery root")
        return value

    @model_validator(mode="after")
    def _no_repetition(self) -> DeliverySettings:
        for role, names in (("columns", self.columns), ("formats", self.formats)):
            if len(set(names)) != len(names):
                raise ValueError(f"{role} names something twice")
        if taken := RESERVED & set(self.columns):
            raise ValueError(f"a column may not be called {min(taken)}")
        return self


class SegmentDefinition(BaseModel):
    """One segment: its model's SQL, its delivery, and the contract of the table that holds the population."""

    model_config = ConfigDict(frozen=True)

    name: Name
    sql: str = Field(repr=False)
    delivery: DeliverySettings
    population: Contract | None = Field(None, repr=False)

    @property
    def definition_hash(self) -> str:
        """Hash of the model's SQL text and the delivery settings, 16 hex digits."""
        facts = {"name": self.name, "sql": self.sql, "delivery": self.delivery.model_dump(mode="json")}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def folder(self) -> str:
        """Place of the segment's deliveries below the delivery root."""
        return f"{self.delivery.place or slug(self.delivery.team)}/{self.name}"

    @property
    def personal_columns(self) -> dict[str, str]:
        """Delivered columns that come from the population's raw table, with their landed types."""
        if self.population is None:
            return {}
        landed = dict(self.population.landed_columns)
        return {name: landed[name] for name in map(self._delivered_as, self.delivery.personal_data) if name}

    @property
    def delivered_columns(self) -> tuple[str, ...]:
        """Delivered columns in order: `columns` under their policies, then personal ones that it does not place."""
        listed = [
            self._delivered_as(column) if column in self.delivery.personal_data else column
            for column in self.delivery.columns
        ]
        member = [] if MEMBER in listed else [MEMBER]
        return tuple(dict.fromkeys([*member, *filter(None, listed), *self.personal_columns]))

    def _delivered_as(self, column: str) -> str | None:
        policy = self.delivery.personal_data[column]
        return {"drop": None, "allow": column, "hash": f"{column}_hash"}[policy]

    @model_validator(mode="after")
    def _personal_data_has_a_policy(self) -> SegmentDefinition:
        policies = self.delivery.personal_data
        personal = self.population.personal_columns if self.population else ()
        pseudonyms = {c.name: c.pseudonym for c in self.population.columns if c.pseudonym} if self.population else {}
        for column, policy in policies.items():
            if column not in personal:
                raise ValueError(
                    f"personal_data names {column!r}, which is no personal column of the population's table"
                )
            if policy == "hash" and column not in pseudonyms:
                raise ValueError(f"personal_data: {column!r} has no pseudonym: say drop or allow")
        for column in self.delivery.columns:
            if column in personal and column not in policies:
                raise ValueError(f"{column!r} is personal: personal_data must say drop, hash or allow")
            for origin, pseudonym in pseudonyms.items():
                if column == pseudonym and policies.get(origin) != "hash":
                    raise ValueError(f"{column!r} is a pseudonym: personal_data must say {origin}: hash")
        return self


def slug(text: str) -> str:
    """A team's name as a folder name: lower-case letters, digits and single hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "team"


def read_segments(models_dir: Path, contracts: Mapping[str, Contract] | None = None) -> dict[str, SegmentDefinition]:
    """Segments by name: every model with `config.meta.delivery` in a `_*__models.yml` below `models_dir`.

    `contracts` are read from `models_dir` where they are not given. Raises ConfigError with file, model and field.
    """
    known = read_contracts(models_dir) if contracts is None else contracts
    population = next((contract for contract in known.values() if contract.population), None)
    segments: dict[str, SegmentDefinition] = {}
    for path in sorted(models_dir.rglob("_*__models.yml")):
        try:
            document = yaml.safe_load(path.read_text()) or {}
        except yaml.YAMLError as error:
            raise ConfigError(f"{path.name}: not YAML: {error}", remedy="correct the file") from None
        for model in document.get("models") or []:
            delivery = ((model.get("config") or {}).get("meta") or {}).get("delivery")
            if delivery is None:
                continue
            segment = _read_segment(path, str(model.get("name")), delivery, population)
            if segment.name in segments:
                raise ConfigError(
                    f"{path.name}: segment {segment.name} is described twice", remedy="rename one of them"
                )
            segments[segment.name] = segment
    return segments


def _read_segment(path: Path, name: str, delivery: Any, population: Contract | None) -> SegmentDefinition:
    model = path.parent / f"{name}.sql"
    if not model.is_file():
        raise ConfigError(
            f"{path.name}: segment {name} has no model {name}.sql beside it", remedy="add the model or drop the entry"
        )
    try:
        return SegmentDefinition.model_validate(
            {"name": name, "sql": model.read_text(), "delivery": delivery, "population": population}
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "delivery"
        raise ConfigError(
            f"{path.name}: segment {name}: {place}: {first['msg']}",
            remedy="correct the entry; docs/segments.md lists the fields",
        ) from None

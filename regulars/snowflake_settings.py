"""Access to a Snowflake account as plain settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

Layer = Literal["load", "staging", "intermediate", "marts", "segments", "gates"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


def checked_name(value: str | None) -> str | None:
    """The same name. Raises ValueError for one that would need quotes: names are put into SQL text as they are."""
    if value is not None and not NAME.fullmatch(value):
        raise ValueError(f"{value!r} is not a plain name of letters, digits and underscores")
    return value


class LayerWarehouses(BaseModel):
    """Virtual warehouses by layer; a layer without one uses `warehouse`. A small one loads, a larger one builds marts."""

    model_config = ConfigDict(frozen=True)

    load: str | None = None
    staging: str | None = None
    intermediate: str | None = None
    marts: str | None = None
    segments: str | None = None
    gates: str | None = None

    _names = field_validator("*")(checked_name)


class SnowflakeSettings(BaseModel):
    """Access to one database of an account. A key pair comes first; a password is the last choice."""

    model_config = ConfigDict(frozen=True)

    block: str | None = Field(None, description="Name of a SnowflakeConnector or SnowflakeCredentials block.")
    account: str | None = None
    user: str | None = None
    private_key_file: Path | None = None
    private_key: SecretStr | None = Field(None, description="The key itself, as PEM text.")
    private_key_passphrase: SecretStr | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    authenticator: str | None = Field(None, description="Passed through, for example oauth or externalbrowser.")
    role: str | None = None
    warehouse: str | None = None
    warehouses: LayerWarehouses = LayerWarehouses()
    database: str = "REGULARS"
    published_database: str | None = Field(None, description="What readers open; default <database>_PUBLISHED.")
    host: str | None = None
    port: int | None = None
    protocol: Literal["https", "http"] = "https"
    storage_integration: str | None = Field(None, description="Lets Snowflake read and write s3:// landings.")
    readers: dict[str, tuple[str, ...]] = Field(
        {}, description="Roles that read what is published, each with the schemas it may see."
    )
    query_tags: dict[str, str] = Field({}, description="Parts of the query tag besides flow, run and as_of.")
    login_timeout_seconds: int = Field(60, ge=1)
    network_timeout_seconds: int = Field(300, ge=1, description="How long a lost connection is tried again.")
    statement_timeout_seconds: int = Field(3600, ge=1)

    _names = field_validator("role", "warehouse", "database", "published_database", "storage_integration")(checked_name)

    @field_validator("readers")
    @classmethod
    def _reader_names(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name in (*value, *(schema for schemas in value.values() for schema in schemas)):
            checked_name(name)
        return value

    @property
    def readers_database(self) -> str:
        return self.published_database or f"{self.database}_PUBLISHED"

    def warehouse_of(self, layer: Layer) -> str | None:
        """The virtual warehouse that does the work of a layer."""
        found: str | None = getattr(self.warehouses, layer)
        return found or self.warehouse

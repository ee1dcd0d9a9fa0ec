"""What an account's set-up needs to know besides the settings: `deployments/snowflake/account.yml`."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regulars.errors import ConfigError
from regulars.snowflake_settings import Layer

Size = Literal["XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE"]
SIZES: tuple[Size, ...] = ("XSMALL", "SMALL", "MEDIUM", "LARGE", "XLARGE", "XXLARGE")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WarehouseSpec(_Frozen):
    """A virtual warehouse: its size, and the seconds after which it suspends when nobody uses it."""

    size: Size = "XSMALL"
    suspend_seconds: int = Field(60, ge=30, le=3600)


class UserSpec(_Frozen):
    """A login without a password. `public_key_file` is the PEM file of its key's public half."""

    name: str = Field(min_length=1)
    public_key_file: Path | None = None


class AccountSpec(_Frozen):
    """The file as a whole; names of databases, warehouses and the storage integration come from the settings."""

    warehouses: dict[Layer | Literal["read"], WarehouseSpec]
    credit_quota: int = Field(ge=1, description="Credits a month, after which the warehouses are suspended.")
    time_travel_days: int = Field(1, ge=0, le=90)
    check_log_days: int = Field(400, ge=30, description="How long ops.dq_check_logs is kept.")
    loader: UserSpec
    dashboard: UserSpec | None = None
    readers_of_everything: tuple[str, ...] = Field((), description="Teams that read all that is published.")
    storage_role_arn: str | None = Field(None, pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$")
    read_locations: tuple[Annotated[str, Field(pattern=r"^s3://[^/]+/.*$")], ...] = Field(
        (), description="Folders that Snowflake reads raw files in (via: stage in sources.yml)."
    )
    read_tables: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*){1,2}$")], ...] = Field(
        (), description="Tables that are there already and that flows read (kind: warehouse in sources.yml)."
    )
    masking: bool = Field(True, description="Masking policies and tags need the Enterprise edition.")
    allowed_networks: tuple[IPv4Network, ...] = Field((), description="Of the loader; empty: no network policy.")


def read_spec(path: Path) -> AccountSpec:
    """The file. Raises ConfigError with file and field."""
    try:
        return AccountSpec.model_validate(yaml.safe_load(path.read_text()))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", remedy="name the file with --file") from None
    except yaml.YAMLError:
        raise ConfigError(f"{path} is not YAML", remedy="correct the file") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise ConfigError(f"{path}: {place}: {first['msg']}", remedy="correct the entry") from None

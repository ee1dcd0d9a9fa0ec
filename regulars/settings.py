"""All settings, in one frozen tree; the only module that reads the environment."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from regulars.errors import ConfigError
from regulars.science_settings import ScienceSettings
from regulars.snowflake_settings import SnowflakeSettings

PROJECT_DIR = Path(__file__).resolve().parent.parent
ENV_FILE = ".env"


def without_login(url: str | None) -> str | None:
    """The same address. Raises ValueError where it holds a login, because addresses are shown and recorded."""
    if url and "://" in url and "@" in url.split("://", 1)[1].split("/", 1)[0]:
        raise ValueError("an address with a login in it; keys belong into REGULARS_S3__* or a block")
    return url


SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])(i?)B")


class S3Settings(BaseModel):
    """Access to `s3://` URLs; without keys the usual AWS credential chain applies."""

    model_config = ConfigDict(frozen=True)

    endpoint: str | None = None
    region: str = "us-east-1"
    access_key_id: str | None = Field(None, repr=False)
    secret_access_key: SecretStr | None = None
    session_token: SecretStr | None = None
    block: str | None = Field(None, description="Name of an AwsCredentials block that holds all of this.")
    encryption: Literal["AES256", "aws:kms"] | None = Field(None, description="Server-side encryption asked for.")
    kms_key_id: str | None = Field(None, description="Key of aws:kms; the bucket's own without.")

    @field_validator("endpoint")
    @classmethod
    def _without_login(cls, value: str | None) -> str | None:
        return without_login(value)


class Settings(BaseSettings):
    """Settings from `REGULARS_*` in the environment or `.env`; nested names use two underscores."""

    model_config = SettingsConfigDict(
        env_prefix="REGULARS_", env_file=ENV_FILE, env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    home: Path = Field(Path(".regulars"), description="Folder of everything that a laptop run writes.")
    warehouse: Literal["duckdb", "snowflake"] = Field("duckdb", description="Engine of the warehouse.")
    sources: Path = Field(Path("deployments/local/sources.yml"), description="Where each raw table comes from.")
    landing_url: str | None = Field(None, description="Folder or s3:// URL of landings; default <home>/landing.")
    delivery_url: str | None = Field(None, description="Folder or s3:// URL of deliveries; default <home>/deliveries.")
    data_docs_url: str | None = Field(None, description="Folder or s3:// URL to which data docs are published as well.")
    timezone: str = Field("UTC", description="IANA zone of the business day.")
    pseudonym_key: SecretStr | None = Field(None, description="Key of pseudonyms; default: made once in <home>.")
    threads: int = Field(2, ge=1, description="Threads of the local engine.")
    memory_limit: str = Field("4GB", description="Memory limit of the local warehouse engine.")
    landing_memory_limit: str = Field("384MB", description="Memory limit of the landings of one process together.")
    lock_timeout_seconds: float = Field(600, ge=0, description="How long a run waits for another writing run.")
    landing_retention_days: int | None = Field(
        None, ge=1, description="Superseded and old landings kept; all if empty."
    )
    history_chunk_days: int = Field(
        7,
        ge=1,
        description="Days built at once when many days are rebuilt, or fewer if they would not fit in memory_limit.",
    )
    fiscal_year_start_month: int = Field(1, ge=1, le=12, description="Month in which the fiscal year begins.")
    dbt_node_tasks: bool = Field(False, description="One Prefect task run per dbt node.")
    operational_url: SecretStr | None = Field(
        None, description="PostgreSQL that takes sheets in and cleanses them; default: the embedded one."
    )
    science: ScienceSettings = ScienceSettings()
    s3: S3Settings = S3Settings()
    snowflake: SnowflakeSettings = SnowflakeSettings()

    @field_validator("landing_url", "delivery_url", "data_docs_url")
    @classmethod
    def _without_login(cls, value: str | None) -> str | None:
        return without_login(value)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is not an IANA time zone such as Europe/Berlin")
        return value

    @property
    def memory_bytes(self) -> int:
        """`memory_limit` in bytes."""
        number, unit, binary = SIZE.findall(self.memory_limit)[0]
        return int(float(number) * (1024 if binary else 1000) ** ("KMGT".index(unit) + 1))

    @field_validator("memory_limit", "landing_memory_limit")
    @classmethod
    def _memory_size(cls, value: str) -> str:
        if not SIZE.fullmatch(value):
            raise ValueError(f"{value!r} is not a size such as 4GB")
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def home_dir(self) -> Path:
        return self.home.expanduser().absolute()

    @property
    def warehouse_path(self) -> Path:
        return self.home_dir / "warehouse.duckdb"

    @property
    def published_path(self) -> Path:
        return self.home_dir / "published.duckdb"

    @property
    def landing_root(self) -> str:
        return self.landing_url or str(self.home_dir / "landing")

    @property
    def delivery_root(self) -> str:
        return self.delivery_url or str(self.home_dir / "deliveries")

    @property
    def sources_path(self) -> Path:
        """`sources` as given, else as a path inside the project."""
        return self.sources if self.sources.is_absolute() or self.sources.exists() else PROJECT_DIR / self.sources

    @property
    def dbt_project_dir(self) -> Path:
        return PROJECT_DIR / "dbt" / "warehouse"

    @property
    def operational_project_dir(self) -> Path:
        return PROJECT_DIR / "dbt" / "operational"

    def pseudonym_secret(self) -> bytes:
        """Key of the keyed hashes: the setting, or a key made once in the home folder (mode 0600)."""
        if self.pseudonym_key is not None:
            return self.pseudonym_key.get_secret_value().encode()
        path = self.home_dir / "pseudonym.key"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".pseudonym.key.{os.getpid()}.{secrets.token_hex(4)}")
        if not path.exists():
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError, FileNotFoundError):
                os.link(draft, path)  # fails where another process was first: its key is the one
        for left in path.parent.glob(".pseudonym.key.*"):  # ours, and those of runs that were killed: the key stands
            left.unlink(missing_ok=True)
        return path.read_text().encode()

    def fingerprint(self) -> str:
        """Hash of the settings that can change data, 16 hex digits; secrets enter only through a digest."""
        parts = [self.warehouse, self.timezone, hashlib.sha256(self.pseudonym_secret()).hexdigest()]
        parts.append(self.science.model_dump_json())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def load_settings(**overrides: Any) -> Settings:
    """Settings of this process; `overrides` win over the environment.

    Raises ConfigError that names the setting and what is wrong with it.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "REGULARS_" + "__".join(str(part) for part in first["loc"]).upper()
        raise ConfigError(
            f"{name}: {first['msg']}", remedy=f"correct {name} in the environment or in {ENV_FILE}"
        ) from None
    except SettingsError as error:  # a nested setting that is not JSON
        name = next((f"REGULARS_{field.upper()}" for field in Settings.model_fields if f'"{field}"' in str(error)), "")
        raise ConfigError(
            f"{name or 'a REGULARS_* variable'} is not JSON", remedy="give REGULARS_S3__REGION and so on one by one"
        ) from None


@lru_cache(maxsize=1)
def _dotenv() -> dict[str, str | None]:
    return dict(dotenv_values(ENV_FILE))


def environment_value(name: str) -> str | None:
    """A variable that sources.yml names as `${NAME}`: from the environment, else from `.env`."""
    return os.environ.get(name, _dotenv().get(name))


@contextmanager
def environment_for(values: Mapping[str, str]) -> Iterator[None]:
    """Variables that only what runs in the body finds, such as one dbt run in this process."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

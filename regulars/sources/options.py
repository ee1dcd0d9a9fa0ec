"""The `read:` options of a table in sources.yml: how its files spell records, numbers, dates and missing values."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any, Literal, TypeVar
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from regulars.errors import ConfigError

Checked = TypeVar("Checked", bound=BaseModel)

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
    ".xls": "xlsx",
    ".ods": "xlsx",
}


class ReadOptions(BaseModel):
    """Options of `read:`; docs/sources.md describes each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["csv", "json", "ndjson", "parquet", "xlsx"] | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=4)
    quote: str = Field('"', max_length=1)
    escape: str | None = Field(None, max_length=1)
    encoding: str = "utf-8"
    header: bool = True
    names: tuple[str, ...] = ()
    skip: int = Field(0, ge=0)
    null_values: tuple[str, ...] = ()
    true_values: tuple[str, ...] = ("true", "t", "1")
    false_values: tuple[str, ...] = ("false", "f", "0")
    date_format: str | None = None
    timestamp_format: str | None = None
    timezone: str | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'", "_"] | None = None
    sheet: str | int | None = None
    max_line_bytes: int = Field(2_000_000, ge=1_000, le=100_000_000)
    max_columns: int = Field(2_000, ge=1, le=20_000)
    max_unpack_ratio: int = Field(100, ge=1)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)  # refuses what turns bytes into bytes, such as base64
            return codecs.lookup(value).name
        except (LookupError, UnicodeError):
            raise ValueError(f"{value!r} is not a text encoding such as utf-8, latin-1, cp1252 or utf-16") from None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError(f"{value!r} is not an IANA time zone such as Europe/Berlin")
        return value

    @field_validator("null_values", "true_values", "false_values", "names", mode="before")
    @classmethod
    def _list_of_text(cls, value: Any) -> Any:
        return tuple(str(item) for item in value) if isinstance(value, list | tuple) else (str(value),)

    def format_of(self, name: str) -> str:
        """Format of a file by its name, unless `format` says it. Raises ConfigError for an unknown ending."""
        if self.format:
            return self.format
        plain = name.lower().removesuffix(".gz")
        for ending, found in FORMATS.items():
            if plain.endswith(ending):
                return found
        raise ConfigError(
            f"{name}: the ending does not say what format the file has",
            remedy="add read: {format: csv} (or json, ndjson, parquet, xlsx) to the table in sources.yml",
        )


def read_options(entry: str, given: dict[str, Any]) -> ReadOptions:
    """The options of one entry of sources.yml. Raises ConfigError that names entry and option."""
    return checked(ReadOptions, given, f"{entry}.read")


def checked(model: type[Checked], given: Mapping[str, Any], place: str) -> Checked:
    """Options that stand at `place` of sources.yml, as their model. Raises ConfigError that names the option, not its value."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        option = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"sources.yml: {place}.{option}: {first['msg']}", remedy="docs/sources.md lists the options"
        ) from None

"""Prefect blocks turned into plain settings, so that the library below never sees Prefect."""

from __future__ import annotations

import re
from typing import Any

from prefect.blocks.core import Block
from prefect_aws import AwsCredentials, S3Bucket
from pydantic import SecretStr

from regulars.errors import ConfigError
from regulars.settings import S3Settings, Settings
from regulars.snowflake_settings import SnowflakeSettings

SECRET_URL = re.compile(r"block://secret/([A-Za-z0-9_-]+)")
BUCKET_URL = re.compile(r"block://s3-bucket/([A-Za-z0-9_-]+)(/.*)?")


def resolve_block(block_type: str, name: str) -> str:
    """Text of a block that sources.yml names: the value of a Secret, or the URL of a connection block."""
    block = _load(f"{block_type}/{name}")
    value: Any = block.get() if hasattr(block, "get") else getattr(block, "value", None)
    return str(value.get_secret_value() if isinstance(value, SecretStr) else value)


def with_blocks(settings: Settings) -> Settings:
    """Settings in which the blocks they name are replaced by plain values.

    `REGULARS_S3__BLOCK` names an AwsCredentials block; a landing or delivery URL `block://s3-bucket/<name>/<prefix>`
    names an S3Bucket block, whose credentials then hold for all of S3. `REGULARS_SNOWFLAKE__BLOCK` names a
    SnowflakeConnector block, or with `snowflake-credentials/<name>` one of credentials alone.
    """
    changes: dict[str, Any] = {}
    if settings.s3.block:
        changes["s3"] = _access(_load(f"aws-credentials/{settings.s3.block}"), settings.s3)
    if settings.snowflake.block:
        name = settings.snowflake.block
        block = _load(name if "/" in name else f"snowflake-connector/{name}")
        changes["snowflake"] = _snowflake_access(block, settings.snowflake)
    for field in ("landing_url", "delivery_url", "data_docs_url"):
        match = BUCKET_URL.fullmatch(getattr(settings, field) or "")
        if match:
            bucket: S3Bucket = _load(f"s3-bucket/{match[1]}")
            prefix = "/".join(part.strip("/") for part in (bucket.bucket_folder, match[2] or "") if part.strip("/"))
            changes[field] = f"s3://{bucket.bucket_name}/{prefix}".rstrip("/")
            changes.setdefault("s3", _access(bucket.credentials, settings.s3))
    return settings.model_copy(update=changes)


def with_store(settings: Settings) -> Settings:
    """Settings in which an operational URL `block://secret/<name>` is the value of that Secret block.

    Apart from the others: who takes no sheet in needs no such block.
    """
    found = SECRET_URL.fullmatch(settings.operational_url.get_secret_value() if settings.operational_url else "")
    if found is None:
        return settings
    return settings.model_copy(update={"operational_url": SecretStr(resolve_block("secret", found[1]))})


def _access(credentials: AwsCredentials, defaults: S3Settings) -> S3Settings:
    client = credentials.aws_client_parameters
    return defaults.model_copy(
        update={
            "access_key_id": credentials.aws_access_key_id,
            "secret_access_key": credentials.aws_secret_access_key,
            "session_token": SecretStr(credentials.aws_session_token) if credentials.aws_session_token else None,
            "region": credentials.region_name or defaults.region,
            "endpoint": client.endpoint_url or defaults.endpoint,
        }
    )


def _snowflake_access(block: Any, defaults: SnowflakeSettings) -> SnowflakeSettings:
    """What the block says, then what the settings say."""
    credentials = getattr(block, "credentials", block)
    key = credentials.private_key
    found = {
        "account": credentials.account,
        "user": credentials.user,
        "role": credentials.role,
        "password": credentials.password,
        "token": credentials.token,
        "private_key": SecretStr(key.get_secret_value().decode()) if key else None,
        "private_key_file": credentials.private_key_path,
        "private_key_passphrase": credentials.private_key_passphrase,
        "authenticator": None if credentials.authenticator == "snowflake" else credentials.authenticator,
        "database": getattr(block, "database", None),
        "warehouse": getattr(block, "warehouse", None),
    }
    return SnowflakeSettings.model_validate(
        {**defaults.model_dump(), **{name: value for name, value in found.items() if value is not None}}
    )


def _load(name: str) -> Any:
    try:
        return Block.load(name)
    except ValueError:
        raise ConfigError(
            f"there is no Prefect block {name}", remedy="make it: deployments/blocks.py shows how"
        ) from None

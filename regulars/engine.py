"""The local engine (DuckDB in memory) that reads sources, types rows and writes files; never the warehouse itself."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from regulars.errors import ConfigError
from regulars.settings import S3Settings, Settings

EXTENSIONS = {
    "httpfs": "duckdb_extension_httpfs",
    "postgres_scanner": "duckdb_extension_postgres_scanner",
    "encodings": "duckdb_extension_encodings",
}


@contextmanager
def local_engine(settings: Settings, spool: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB that spills into `spool`, keeps row order, and reaches no network of its own accord."""
    connection = duckdb.connect()
    try:
        connection.execute(f"set memory_limit = {quote(settings.landing_memory_limit)}")
        connection.execute(f"set threads = {settings.threads}")
        connection.execute(f"set temp_directory = {quote(str(spool))}")
        connection.execute("set autoinstall_known_extensions = false")
        connection.execute("set autoload_known_extensions = false")
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load a signed extension from its wheel; nothing is downloaded."""
    package = importlib.util.find_spec(EXTENSIONS[name])
    folder = Path(package.origin).parent if package and package.origin else None
    found = sorted(folder.glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension")) if folder else []
    if not found:
        raise ConfigError(
            f"the DuckDB extension {name} is missing for DuckDB {duckdb.__version__}",
            remedy="install the project through constraints.txt",
        )
    connection.execute(f"load {quote(str(found[0]))}")


def allow_s3(connection: duckdb.DuckDBPyConnection, s3: S3Settings) -> None:
    """Let `connection` read and write `s3://` URLs with the given access."""
    load_extension(connection, "httpfs")
    parts = ["type s3", f"region {quote(s3.region)}"]
    key_id, secret, token = _s3_keys(s3)
    parts += [
        f"{name} {quote(value)}"
        for name, value in [("key_id", key_id), ("secret", secret), ("session_token", token)]
        if value
    ]
    if s3.endpoint:
        address = urlsplit(s3.endpoint)
        parts += [
            f"endpoint {quote(address.netloc)}",
            "url_style 'path'",
            f"use_ssl {str(address.scheme == 'https').lower()}",
        ]
    connection.execute(f"create or replace secret regulars_s3 ({', '.join(parts)})")


def _s3_keys(s3: S3Settings) -> tuple[str | None, str | None, str | None]:
    """Key, secret and token: from the settings, else from the usual AWS credential chain."""
    if s3.access_key_id and s3.secret_access_key:
        token = s3.session_token.get_secret_value() if s3.session_token else None
        return s3.access_key_id, s3.secret_access_key.get_secret_value(), token
    from boto3.session import Session  # slow to import, and seldom needed

    found = Session().get_credentials()
    return (found.access_key, found.secret_key, found.token) if found else (None, None, None)


def quote(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'

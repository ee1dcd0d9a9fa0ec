"""The local engine (DuckDB in memory) that reads sources, types rows and writes files; never the warehouse itself."""

from __future__ import annotations

import importlib.util
import os
import threading
import uuid
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
    """A private session of the process's in-memory DuckDB, which keeps row order and reaches no network unasked.

    Sessions share one instance, because loading an extension costs most of a second: temporary tables and variables
    are the session's own, the memory limit is for all of them, attached databases need a name of their own
    (`unique_name`). `spool` is a folder of the session: what the instance spills goes beside it.
    """
    with _shared(settings, spool.parent).cursor() as session:
        session.execute("set TimeZone = 'UTC'")
        yield session


def sibling(session: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Another session of the same instance, with the time zone and variables of `session`; the caller closes it."""
    made = session.cursor()
    made.execute("set TimeZone = 'UTC'")
    for (name,) in session.execute("select name from duckdb_variables()").fetchall():
        row = session.execute(f"select getvariable({quote(name)})").fetchone()
        made.execute(f"set variable {identifier(name)} = ?", [row[0] if row else None])
    return made


def unique_name(stem: str) -> str:
    """A name for an attached database that no other session of the process uses."""
    return f"{stem}_{uuid.uuid4().hex[:12]}"


_instance: tuple[str, duckdb.DuckDBPyConnection] | None = None
_opening = threading.RLock()


def _shared(settings: Settings, spill_root: Path) -> duckdb.DuckDBPyConnection:
    """The instance of this process and folder; sessions of another folder, and of a fork, get a new one."""
    global _instance
    name = f"{os.getpid()} {spill_root}"
    with _opening:
        if _instance is None or _instance[0] != name:
            made = duckdb.connect()
            made.execute("set autoinstall_known_extensions = false")
            made.execute("set autoload_known_extensions = false")
            made.execute(f"set temp_directory = {quote(str(spill_root / f'{os.getpid()}-engine'))}")
            _instance = (name, made)
        made = _instance[1]
        made.execute(f"set memory_limit = {quote(settings.landing_memory_limit)}")
        made.execute(f"set threads = {settings.threads}")
        return made


def load_extension(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load a signed extension from its wheel, unless the instance has it; nothing is downloaded."""
    known = f"select 1 from duckdb_extensions() where extension_name = {quote(name)} and loaded"
    with _opening:
        if connection.execute(known).fetchone():
            return
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
    values = {}  # bound, so that no secret is ever part of SQL text
    key_id, secret, token = _s3_keys(s3)
    for name, value in [("key_id", key_id), ("secret", secret), ("session_token", token)]:
        if value:
            parts.append(f"{name} ${name}")
            values[name] = value
    if s3.endpoint:
        address = urlsplit(s3.endpoint)
        parts += [
            f"endpoint {quote(address.netloc)}",
            "url_style 'path'",
            f"use_ssl {str(address.scheme == 'https').lower()}",
        ]
    connection.execute(f"create or replace secret regulars_s3 ({', '.join(parts)})", values)


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

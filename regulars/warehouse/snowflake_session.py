"""Sessions with Snowflake: one per thread, because a session runs one statement at a time and has one transaction."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa
import snowflake.connector
from cryptography.hazmat.primitives import serialization
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error

from regulars.errors import ConfigError, TransientError
from regulars.run import Run
from regulars.snowflake_settings import Layer, SnowflakeSettings
from regulars.warehouse.snowflake_errors import plain_snowflake_errors

SESSION = {
    "TIMEZONE": "UTC",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    # What an expression of sources.yml gives is read as text: no digit of a moment may get lost on the way.
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9TZH:TZM",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF9TZH:TZM",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "CLIENT_TELEMETRY_ENABLED": False,
}


class SnowflakeSessions:
    """Opens sessions where they are needed and closes them all at the end."""

    def __init__(self, settings: SnowflakeSettings, run: Run | None, layer: Layer = "load") -> None:
        self.settings = settings
        self._run = run
        self._layer = layer
        self._local = threading.local()
        self._opened: list[SnowflakeConnection] = []
        self._is_open = False

    def __enter__(self) -> SnowflakeSessions:
        self._is_open = True
        return self

    def __exit__(self, *error: object) -> None:
        self._is_open = False
        self._local = threading.local()
        while self._opened:
            with suppress(Error, OSError):  # what is lost is a session that ends by itself
                self._opened.pop().close()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a small result."""
        with self._cursor() as cursor:
            cursor.execute(sql, list(parameters) or None)
            return [tuple(row) for row in cursor.fetchall()]

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """A result as an Arrow table, its columns named in lower case."""
        with self._cursor() as cursor:
            cursor.execute(sql, list(parameters) or None)
            found = cursor.fetch_arrow_all(force_return_table=True)
            return found.rename_columns([name.lower() for name in found.column_names])

    @contextmanager
    def arrow_batches(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        """A result a batch at a time, its columns named in lower case; types are those of the first batch."""
        with self._cursor() as cursor:
            cursor.execute(sql)
            found = cursor.fetch_arrow_batches()
            first = next(found, None)
            if first is None:
                first = cursor.execute(sql).fetch_arrow_all(force_return_table=True)
            names = [name.lower() for name in first.column_names]
            schema = first.rename_columns(names).schema

            def batches() -> Iterator[pa.RecordBatch]:
                for table in itertools.chain([first], found):
                    yield from table.rename_columns(names).cast(schema).to_batches()

            yield pa.RecordBatchReader.from_batches(schema, batches())

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement."""
        with self._cursor() as cursor:
            cursor.execute(sql, list(parameters) or None)

    def connect(self, parameters: Mapping[str, Any] | None = None) -> SnowflakeConnection:
        """A session of its own, which the caller does not close. Raises ConfigError or TransientError."""
        arguments = self.connect_arguments()
        arguments["session_parameters"] |= parameters or {}
        with plain_snowflake_errors("opening a session with Snowflake"):
            opened = snowflake.connector.connect(**arguments)
        self._opened.append(opened)
        return opened

    def connect_arguments(self) -> dict[str, Any]:
        """Arguments of `snowflake.connector.connect`. Raises ConfigError where none could log in."""
        given = self.settings
        if not given.account:
            raise ConfigError(
                "REGULARS_SNOWFLAKE__ACCOUNT is missing", remedy="set it, or name a block in REGULARS_SNOWFLAKE__BLOCK"
            )
        plain = {
            "account": given.account, "user": given.user, "role": given.role, "database": given.database,
            "warehouse": given.warehouse_of(self._layer), "authenticator": given.authenticator,
            "host": given.host, "port": given.port, "private_key": private_key(given),
        }  # fmt: skip
        secrets = {"password": given.password, "token": given.token}
        return {
            **{name: value for name, value in plain.items() if value is not None},
            **{name: secret.get_secret_value() for name, secret in secrets.items() if secret is not None},
            "protocol": given.protocol,
            "schema": "OPS",
            "paramstyle": "qmark",
            "autocommit": True,
            "login_timeout": given.login_timeout_seconds,
            "network_timeout": given.network_timeout_seconds,
            "client_session_keep_alive": True,
            "application": "regulars",
            "session_parameters": {
                **SESSION,
                "STATEMENT_TIMEOUT_IN_SECONDS": given.statement_timeout_seconds,
                "QUERY_TAG": query_tag(given.query_tags, self._run),
            },
        }

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        if not self._is_open:
            raise RuntimeError("the warehouse is used outside its `with` block")
        if getattr(self._local, "connection", None) is None:
            self._local.connection = self.connect()
        try:
            with plain_snowflake_errors("Snowflake"), self._local.connection.cursor() as cursor:
                yield cursor
        except TransientError:  # the next attempt begins with a session of its own, whatever became of this one
            lost, self._local.connection = self._local.connection, None
            with suppress(Error, OSError):
                lost.close()
            raise

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for many rows of parameters, sent at once."""
        with self._cursor() as cursor:
            cursor.executemany(sql, [[_text(value) for value in row] for row in rows])


def query_tag(parts: Mapping[str, str], run: Run | None) -> str:
    """JSON by which the cost of statements can be attributed; at most 2,000 characters."""
    named = {"flow": run.flow, "run": run.run_id, "as_of": run.as_of.isoformat()} if run else {}
    return json.dumps({"application": "regulars", **named, **parts}, sort_keys=True)[:2000]


def private_key(settings: SnowflakeSettings) -> bytes | None:
    """The key as the connector wants it (PKCS 8, DER). Raises ConfigError where it cannot be read."""
    passphrase = settings.private_key_passphrase
    try:
        if settings.private_key is not None:
            pem = settings.private_key.get_secret_value().encode()
        elif settings.private_key_file is not None:
            pem = settings.private_key_file.expanduser().read_bytes()
        else:
            return None
        key = serialization.load_pem_private_key(pem, passphrase.get_secret_value().encode() if passphrase else None)
    except OSError as error:
        raise ConfigError(
            f"the private key file of Snowflake cannot be read: {error.strerror}",
            remedy="check REGULARS_SNOWFLAKE__PRIVATE_KEY_FILE",
        ) from None
    except (ValueError, TypeError):
        raise ConfigError(
            "the private key of Snowflake is no PEM key, or its passphrase is wrong or missing",
            remedy="check REGULARS_SNOWFLAKE__PRIVATE_KEY_FILE and REGULARS_SNOWFLAKE__PRIVATE_KEY_PASSPHRASE",
        ) from None
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _text(value: Any) -> Any:
    """Values of rows sent together go as text: the connector gives a column one type, which a null would change."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat(sep=" ") if hasattr(value, "hour") else str(value)

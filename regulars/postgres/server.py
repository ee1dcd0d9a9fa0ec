"""An embedded PostgreSQL below the home folder: real server binaries from a wheel, reached through a Unix socket.

The server outlives the process that started it and is shared by all processes with the same home, until `stop_server`.
No port is opened. Only the account that runs the server (and root) can enter the folder of its socket.
"""

from __future__ import annotations

import fcntl
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from regulars.errors import ConfigError, TransientError
from regulars.postgres.cluster import SOCKET_NAME, SUPERUSER, initialise, last_log_lines, launch, socket_folder
from regulars.postgres.process import is_postgres, read_lock_file, stop_orphan, stop_process

DATABASE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server; `pid` is that of its first process."""

    data_dir: Path
    socket_dir: Path
    pid: int

    def uri(self, database: str = "postgres") -> str:
        """Connection URL for psycopg, SQLAlchemy and DuckDB's postgres extension; it holds no secret."""
        return f"postgresql://{SUPERUSER}@/{database}?host={quote(str(self.socket_dir), safe='/')}"

    def ensure_database(self, name: str) -> str:
        """Create the database where it does not exist; returns its URL."""
        ensure_database(self.uri(), name)
        return self.uri(name)


def start_server(home: Path, timeout_seconds: float = 60) -> EmbeddedPostgres:
    """The server of this home, started (and initialised) where it is not running.

    Safe to call from several processes at once, and after a kill of the server or of the process that started it.
    Raises ConfigError where it cannot run here, TransientError where it did not answer in time.
    """
    home = home.expanduser().absolute()
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home, timeout_seconds):
        running = _settled(home, timeout_seconds)
        if running is not None:
            return running
        data_dir = home / "postgres"
        stop_orphan(socket_folder(data_dir) / f"{SOCKET_NAME}.lock", data_dir)
        if not (data_dir / "PG_VERSION").exists():
            initialise(home, data_dir)
        launch(data_dir, timeout_seconds)
        running = _settled(home, timeout_seconds)
        if running is None:
            raise TransientError(f"PostgreSQL started and ended at once{last_log_lines(data_dir)}", remedy="run again")
        return running


def running_server(home: Path) -> EmbeddedPostgres | None:
    """The server of this home if it runs, else None; starts nothing."""
    data_dir = home.expanduser().absolute() / "postgres"
    facts = read_lock_file(data_dir / "postmaster.pid")
    if len(facts) < 8 or facts[7].strip() not in ("ready", "standby") or not is_postgres(int(facts[0])):
        return None
    return EmbeddedPostgres(data_dir, Path(facts[4]), int(facts[0]))


def stop_server(home: Path, timeout_seconds: float = 30) -> bool:
    """Stop the server of this home and wait until it is gone; True if there was one. The data stay."""
    home = home.expanduser().absolute()
    if not home.is_dir():
        return False
    with _locked(home, timeout_seconds):
        data_dir = home / "postgres"
        facts = read_lock_file(data_dir / "postmaster.pid")
        stopped = bool(facts) and stop_process(int(facts[0]), timeout_seconds)
        socket_dir = socket_folder(data_dir)
        stopped = stop_orphan(socket_dir / f"{SOCKET_NAME}.lock", data_dir) or stopped
        if socket_dir != data_dir:
            shutil.rmtree(socket_dir, ignore_errors=True)
        return stopped


def ensure_database(uri: str, name: str) -> None:
    """Create database `name` on the server that `uri` (any database of it) names, where it does not exist."""
    if not DATABASE_NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is not a database name of lower-case letters, digits and underscores")
    try:
        with psycopg.connect(uri, autocommit=True, connect_timeout=10) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
                return
            for attempt in range(20):
                try:
                    connection.execute(f"create database {name} template template0")
                    return
                except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    return  # another process was first
                except psycopg.errors.ObjectInUse:
                    time.sleep(0.05 * (attempt + 1))
    except psycopg.OperationalError as error:
        raise TransientError(
            f"PostgreSQL does not answer: {str(error).strip()}", remedy="check that the server runs, then run again"
        ) from None
    raise TransientError(f"database {name} could not be created: template0 is in use", remedy="run again")


def _settled(home: Path, timeout_seconds: float) -> EmbeddedPostgres | None:
    """The running server once it answers; None once there is none (a server that is just ending is waited for)."""
    deadline = time.monotonic() + timeout_seconds
    while (running := running_server(home)) is not None:
        try:
            psycopg.connect(running.uri(), connect_timeout=5).close()
            return running
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise TransientError(
                    f"PostgreSQL does not answer: {str(error).strip()}", remedy="stop it, then run again"
                ) from None
            time.sleep(0.05)
    return None


@contextmanager
def _locked(home: Path, timeout_seconds: float) -> Iterator[None]:
    """One process at a time starts or stops the server; the lock dies with its holder."""
    deadline = time.monotonic() + timeout_seconds
    with open(home / ".postgres.lock", "a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TransientError(
                        f"another process is starting or stopping PostgreSQL in {home} since {timeout_seconds:.0f} s",
                        remedy="wait for it or end it, then run again",
                    ) from None
                time.sleep(0.05)
        yield

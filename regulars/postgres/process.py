"""The first process of a server: which one it is, whether it lives, and how it is ended."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from regulars.errors import ConfigError, TransientError

# What PostgreSQL's first process understands by a signal, and how many seconds it is given.
SHUTDOWNS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT, "kill": signal.SIGKILL}


def read_lock_file(path: Path) -> list[str]:
    """Lines of a lock file (the first is a process number); empty where there is no such file."""
    try:
        lines = path.read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except PermissionError:
        raise ConfigError(
            f"{path.parent} belongs to another account", remedy="run as that account or set REGULARS_HOME"
        ) from None
    return lines if lines and lines[0].strip().isdigit() else []


def is_postgres(pid: int) -> bool:
    """Whether the process lives and is PostgreSQL: after a kill its number may be a zombie's or another program's."""
    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.name().startswith("postgres"))
    except psutil.NoSuchProcess:
        return False


def stop_process(pid: int, timeout_seconds: float) -> bool:
    """Fast shutdown, then immediate, then kill; True if there was a server to stop."""
    if not is_postgres(pid):
        return False
    for mode, sent in SHUTDOWNS.items():
        try:
            os.kill(pid, sent)
        except ProcessLookupError:
            return True
        except PermissionError:
            raise ConfigError(
                f"PostgreSQL (process {pid}) belongs to another account", remedy="stop it as that account"
            ) from None
        deadline = time.monotonic() + (timeout_seconds if mode == "fast" else 5)
        while time.monotonic() < deadline:
            if not is_postgres(pid):
                return True
            time.sleep(0.02)
    raise TransientError(f"PostgreSQL (process {pid}) does not end", remedy="end it by hand")


def stop_orphan(socket_lock: Path, data_dir: Path) -> bool:
    """Stop a server whose data folder was deleted under it: the lock file of its socket still names both."""
    facts = read_lock_file(socket_lock)
    return len(facts) > 1 and facts[1].strip() == str(data_dir) and stop_process(int(facts[0]), 10)

"""One writer at a time: a row that stays locked in an open transaction for as long as the warehouse is open.

Snowflake gives such a lock back by itself: it aborts a transaction that is idle for five minutes while another one waits
for it. So a run that was killed bars the next one for so long, and a living one has to touch its row more often.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error

from regulars.errors import TransientError
from regulars.warehouse.snowflake_errors import LOCKED, plain_snowflake_errors

TABLE = "ops.run_lock"
TOUCH_SECONDS = 60.0
SESSION = {"LOCK_TIMEOUT": 10}  # seconds that one attempt waits; between attempts the deadline is looked at


class RunLock:
    """Held from `take` to `release` by a session of its own."""

    def __init__(self, connection: SnowflakeConnection) -> None:
        self._connection = connection
        self._ended = threading.Event()
        self._touching = threading.Thread(target=self._keep_touching, name="run lock", daemon=True)
        self.is_lost = False

    def take(self, timeout_seconds: float) -> None:
        """Wait for the lock. Raises TransientError after `timeout_seconds`."""
        deadline = time.monotonic() + timeout_seconds
        with plain_snowflake_errors("making the lock of runs"):
            if not self._is_there():
                self._run("create schema if not exists ops")
                self._run(f"create table if not exists {TABLE} (name varchar, taken bigint)")
            self._run(f"insert into {TABLE} select 'warehouse', 0 where not exists (select 1 from {TABLE})")
        while not self._locked():
            if time.monotonic() >= deadline:
                raise TransientError(
                    f"another run has been writing the warehouse for {timeout_seconds:.0f} s",
                    remedy="wait for the other run, or raise REGULARS_LOCK_TIMEOUT_SECONDS",
                )
            time.sleep(0.5)
        self._touching.start()

    def release(self) -> None:
        """Give the row back; what is left of a lost connection ends by itself."""
        self._ended.set()
        if self._touching.is_alive():
            self._touching.join()
        with suppress(Error, OSError):
            self._run("rollback")

    def _locked(self) -> bool:
        with plain_snowflake_errors("waiting for the lock of runs"):
            self._run("begin")
            try:
                self._run(f"update {TABLE} set taken = taken + 1")
            except Error as error:
                with suppress(Error):
                    self._run("rollback")
                if error.errno in LOCKED:
                    return False
                raise
        return True

    def _keep_touching(self) -> None:
        while not self._ended.wait(TOUCH_SECONDS):
            try:
                self._run(f"update {TABLE} set taken = taken + 1")
            except (Error, OSError):
                self.is_lost = True
                return

    def _is_there(self) -> bool:
        with self._connection.cursor() as cursor:
            cursor.execute(
                "select 1 from information_schema.tables where table_schema = 'OPS' and table_name = 'RUN_LOCK'"
            )
            return cursor.fetchone() is not None

    def _run(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

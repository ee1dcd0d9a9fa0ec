"""A conversation with the process that reads a database (`sql_rows`), with an end to every wait."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from regulars.errors import ConfigError, TransientError
from regulars.sources import sql_rows
from regulars.sources.sql_address import Address
from regulars.sources.sql_errors import explained

MOST_WORDS = 4000  # that are kept of what the library prints
NO_CONNECTION = "ERROR r2d2"  # it would try again, with the same password, for half a minute


class SqlProcess:
    """Runs queries at one address, one at a time."""

    def __init__(self, process: subprocess.Popen[bytes], address: Address) -> None:
        self._process, self._address = process, address

    def ask(self, query: str, target: Path | None = None) -> dict[str, Any]:
        """Columns and rows of a small result; or, written to `target`, how many rows it `read`.

        Raises TransientError, SourceError or ConfigError; the process is of no more use then.
        """
        address = self._address
        asked = {
            "url": address.url,
            "query": query,
            "before": list(address.before),
            "target": str(target) if target else None,
            "batch_rows": address.batch_rows,
        }
        assert self._process.stdin is not None  # noqa: S101  opened with a pipe
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._gone("") from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        began = heard = time.monotonic()
        words = {"stdout": b"", "stderr": b""}
        with selectors.DefaultSelector() as ready:
            for name in words:
                ready.register(getattr(self._process, name), selectors.EVENT_READ, name)
            while True:
                for key, _ in ready.select(timeout=1):
                    stream: IO[bytes] = key.fileobj  # type: ignore[assignment]
                    found = stream.read1(1 << 16)  # type: ignore[attr-defined]
                    words[key.data] += found
                    heard = time.monotonic() if key.data == "stdout" else heard
                    if not found:
                        raise self._gone(words["stderr"].decode(errors="replace"))
                said = words["stderr"][-MOST_WORDS:].decode(errors="replace")
                if NO_CONNECTION in said:
                    raise explained(self._address, said)
                *lines, words["stdout"] = words["stdout"].split(b"\n")
                for answer in map(json.loads, lines):
                    if answer.get("done"):
                        return self._judged(answer)
                self._end_waiting(time.monotonic() - began, time.monotonic() - heard)

    def _judged(self, answer: dict[str, Any]) -> dict[str, Any]:
        if answer.get("missing"):
            raise ConfigError(
                "connections of kind sql need connectorx, which is not installed", remedy="pip install 'regulars[sql]'"
            )
        if "error" in answer:
            raise explained(self._address, str(answer["error"]))
        return answer

    def _end_waiting(self, asked: float, silent: float) -> None:
        address = self._address
        # The engine is asked to stop by itself first, where it can be.
        if address.statement_timeout and asked > address.statement_timeout + 2:
            raise TransientError(
                f"{address.place}: the statement timeout passed",
                remedy="raise statement_timeout_seconds, or add an index on the cursor",
            )
        if address.silence_timeout and silent > address.silence_timeout:
            raise TransientError(
                f"{address.place}: the server sent nothing for {address.silence_timeout:g} seconds; it was broken off",
                remedy="see whether the server, a proxy before it or a lock on the table holds it up, then run again; for a "
                "query that needs longer to its first row raise silence_timeout_seconds of the connection",
            )

    def _gone(self, said: str) -> TransientError:
        return TransientError(
            f"{self._address.place}: the process that reads it ended{': out of memory' if 'memory' in said else ''}",
            remedy="run again; see whether the machine ran out of memory",
        )


@contextmanager
def sql_process(address: Address) -> Iterator[SqlProcess]:
    """A process that ends, with its connection, when the body does."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-I", sql_rows.__file__], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield SqlProcess(process, address)
        finally:
            process.kill()

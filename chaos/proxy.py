"""A small TCP proxy that breaks connections in a stated way after a stated number of bytes."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chaos.processes import fork

Address = str | tuple[str, int]  # path of a Unix socket, or host and port
Mode = Literal["pass", "reset", "cut", "blackhole", "trickle", "commit", "call"]
PIECE = 16384
TRICKLE_BYTES, TRICKLE_SECONDS = 2048, 0.02


@dataclass(frozen=True)
class Breakage:
    """What happens once `after` bytes have passed `down` (to the client) or `up`, over all connections together.

    `reset` and `cut` end the connection that reached the number, by RST or FIN; `blackhole` lets nothing more through
    on any connection that is open then; `trickle` slows every one down from then on; `commit` takes the first COMMIT
    of a PostgreSQL client through to the server, and resets instead of handing on its answer; `call` calls `action`.
    """

    mode: Mode = "pass"
    after: int = 0
    direction: Literal["down", "up"] = "down"
    action: Callable[[], None] | None = None


class Proxy:
    """Runs in a process of its own; `report` tells how many bytes passed and whether the breakage came."""

    def __init__(self, upstream: Address, breakage: Breakage, report: Path) -> None:
        self._upstream, self._breakage, self._report = upstream, breakage, report
        self._passed = {"down": 0, "up": 0}
        self._lock = threading.Lock()
        self._struck = False
        self._stopped: set[int] = set()
        self._open: dict[int, tuple[socket.socket, socket.socket]] = {}

    def serve(self, listener: socket.socket) -> None:
        number = 0
        while True:
            client, _ = listener.accept()
            number += 1
            threading.Thread(target=self._connect, args=(number, client), daemon=True).start()

    def _connect(self, number: int, client: socket.socket) -> None:
        try:
            server = _open(self._upstream)
        except OSError:
            _reset(client)
            return
        self._open[number] = (client, server)
        for source, target, direction in ((client, server, "up"), (server, client, "down")):
            threading.Thread(target=self._carry, args=(number, source, target, direction), daemon=True).start()

    def _carry(self, number: int, source: socket.socket, target: socket.socket, direction: str) -> None:
        try:
            while piece := source.recv(PIECE):
                if not self._let_pass(number, piece, direction):
                    return
                if self._struck and self._breakage.mode == "trickle":
                    for start in range(0, len(piece), TRICKLE_BYTES):
                        target.sendall(piece[start : start + TRICKLE_BYTES])
                        time.sleep(TRICKLE_SECONDS)
                else:
                    target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            _reset(source)
            _reset(target)

    def _let_pass(self, number: int, piece: bytes, direction: str) -> bool:
        with self._lock:
            if number in self._stopped:
                return False
            self._passed[direction] += len(piece)
            due = self._is_due(piece, direction)
            if due:
                self._struck = True
                if self._breakage.mode == "blackhole":
                    self._stopped |= set(self._open)
                if self._breakage.mode in ("reset", "cut", "commit"):
                    self._stopped.add(number)
            self._tell()
        return not due or self._strike(number, piece)

    def _is_due(self, piece: bytes, direction: str) -> bool:
        if self._struck or self._breakage.mode == "pass":
            return False
        if self._breakage.mode == "commit":
            return direction == "up" and b"COMMIT" in piece.upper()
        return direction == self._breakage.direction and self._passed[direction] > self._breakage.after

    def _strike(self, number: int, piece: bytes) -> bool:
        """Break what is to be broken; whether the piece may go on."""
        client, server = self._open[number]
        mode = self._breakage.mode
        if mode == "commit":
            server.sendall(piece)
            time.sleep(0.3)  # the server has committed by now, and its answer is dropped
        if mode in ("reset", "commit"):
            _reset(client)
            _reset(server)
        elif mode == "cut":
            for end in (client, server):
                _shutdown(end)
        elif mode == "call" and self._breakage.action:
            self._breakage.action()
        return mode in ("trickle", "call")

    def _tell(self) -> None:
        draft = self._report.with_suffix(".draft")
        draft.write_text(json.dumps({**self._passed, "struck": self._struck}))
        draft.replace(self._report)


@contextmanager
def proxied(port: int, upstream: Address, breakage: Breakage, folder: Path) -> Iterator[Path]:
    """A proxy on 127.0.0.1:`port` while the body runs; yields the path of its report (JSON: down, up, struck)."""
    report = folder / "proxy.json"
    report.unlink(missing_ok=True)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    child = fork(lambda: Proxy(upstream, breakage, report).serve(listener), folder / "proxy.log")
    listener.close()
    try:
        yield report
    finally:
        child.kill_group()


def free_port() -> int:
    """A TCP port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_report(path: Path) -> dict[str, int]:
    """Bytes `down` and `up`, and `struck`; zeros where nothing ever passed."""
    return json.loads(path.read_text()) if path.exists() else {"down": 0, "up": 0, "struck": 0}


def _open(address: Address) -> socket.socket:
    if isinstance(address, str):
        made = socket.socket(socket.AF_UNIX)
        made.connect(address)
        return made
    return socket.create_connection(address)


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RD)  # wakes the thread that reads it
    os_close(end)


def _shutdown(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    os_close(end)


def os_close(end: socket.socket) -> None:
    """Close for good, also while another thread waits in it."""
    with suppress(OSError):
        os.close(end.detach())

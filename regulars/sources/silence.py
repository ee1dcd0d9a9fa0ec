"""An end to waiting: connections over which a source has sent nothing for too long are shut.

The drivers wait for bytes without end while a connection lives, and keepalives only notice one that is dead. So a
thread looks at the connections of a reading: what each has received, by the kernel's own count (Linux, TCP), and whether
something is still to be read, for then it is we who are slow. Shutting a connection ends the driver's wait with an error.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import struct
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from regulars.errors import TransientError

BYTES_RECEIVED = 128  # offset of tcpi_bytes_received (64 bits) in struct tcp_info of linux/tcp.h
FILES = Path("/proc/self/fd")
_opening = threading.Lock()  # one reading opens connections at a time, so that each knows its own


class Watch:
    """Connections of one reading; `has_struck` once they were silent for `seconds` together and have been shut."""

    def __init__(self, seconds: float) -> None:
        self.has_struck = False
        self._seconds = seconds
        self._ends: dict[int, socket.socket] = {}  # by inode; duplicates, so that no number is ever another's
        self._port: int | None = None  # of the server; none where it is not reached by TCP
        self._known: set[int] | None = None  # sockets that were there when an opening began
        self._lock, self._ended = threading.Lock(), threading.Event()

    @contextmanager
    def following(self, number: int) -> Iterator[None]:
        """Watch the connection with that file number while the body runs, and know the server's port from it."""
        inode = os.fstat(number).st_ino
        self._take(inode, number)
        try:
            yield
        finally:
            with self._lock:
                end = self._ends.pop(inode, None)
            if end:
                end.close()

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Watch the connections to the same port that a library opens in the body, until the watch ends."""
        with _opening:
            self._known = set(_sockets())
            try:
                yield
            finally:
                self._take_new()
                self._known = None

    def error(self, place: str) -> TransientError | None:
        """What to raise in place of the error that a shut connection led to; None where none was shut."""
        if not self.has_struck:
            return None
        return TransientError(
            f"{place}: the server kept the connection and sent nothing for {self._seconds:g} seconds; it was broken off",
            remedy="see whether the server, a proxy before it or a lock on the table holds it up, then run again; for a "
            "query that needs longer to its first row raise silence_timeout_seconds of the connection",
        )

    def run(self) -> None:
        """Look until `end`; the body of the watching thread."""
        before: object = None
        since = time.monotonic()
        while not self._ended.wait(min(self._seconds / 10, 1)):
            if self._known is not None:
                self._take_new()
            with self._lock:
                ends = dict(self._ends)
            now = {inode: _received(end) for inode, end in ends.items()}
            if not ends or now != before or any(map(_has_unread, ends.values())):
                before, since = now, time.monotonic()
            elif time.monotonic() - since >= self._seconds:
                self.has_struck = True
                for end in ends.values():
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                return

    def end(self, thread: threading.Thread) -> None:
        self._ended.set()
        thread.join()
        for end in self._ends.values():
            end.close()

    def _take_new(self) -> None:
        for inode, number in _sockets().items():
            if self._port and inode not in (self._known or ()) and inode not in self._ends:
                self._take(inode, number)

    def _take(self, inode: int, number: int) -> None:
        if not self._seconds:
            return
        try:
            end = socket.socket(fileno=os.dup(number))
        except OSError:  # closed meanwhile
            return
        port = _peer_port(end)
        self._port = self._port or port
        with self._lock:
            is_same = port is not None and port == self._port and os.fstat(end.fileno()).st_ino == inode
            if is_same and inode not in self._ends:
                self._ends[inode] = end
                return
        end.close()


@contextmanager
def watched(seconds: float) -> Iterator[Watch]:
    """A watch for a reading; it looks at nothing where `seconds` is 0, or the system does not count."""
    seconds = seconds if hasattr(socket, "TCP_INFO") else 0
    watch = Watch(seconds)
    if not seconds:
        yield watch
        return
    thread = threading.Thread(target=watch.run, name="silence", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.end(thread)


def _sockets() -> dict[int, int]:
    """File number of each socket of this process, by inode."""
    found = {}
    for entry in FILES.iterdir() if FILES.exists() else ():
        with suppress(OSError):
            facts = os.fstat(int(entry.name))
            if stat.S_ISSOCK(facts.st_mode):
                found[facts.st_ino] = int(entry.name)
    return found


def _peer_port(end: socket.socket) -> int | None:
    with suppress(OSError):
        if end.family in (socket.AF_INET, socket.AF_INET6) and end.type == socket.SOCK_STREAM:
            return int(end.getpeername()[1])
    return None


def _received(end: socket.socket) -> int:
    with suppress(OSError, struct.error):
        info = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        return int(struct.unpack_from("=Q", info, BYTES_RECEIVED)[0])
    return -1


def _has_unread(end: socket.socket) -> bool:
    with suppress(OSError):
        return bool(struct.unpack("i", fcntl.ioctl(end.fileno(), termios.FIONREAD, b"\0" * 4))[0])
    return False

"""What servers of JSON over HTTP share that do to a request what the test wants: they reset, drip, sleep, or say something else.

A fault is given the handler of the request.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import unquote

Fault = Callable[[Any], bool]  # True: it has answered
Served = TypeVar("Served", bound="FaultyServer")
JSON = {"Content-Type": "application/json"}


@dataclass
class FaultyServer:
    """`faults` are (pattern of method and path, fault), each used once and in order; `asked` what was asked for."""

    address: str
    faults: list[tuple[str, Fault]] = field(default_factory=list, kw_only=True)
    asked: list[str] = field(default_factory=list, kw_only=True)

    def calls(self, pattern: str) -> int:
        return sum(re.search(pattern, asked) is not None for asked in self.asked)


class FaultyHandler(BaseHTTPRequestHandler):
    """Answers GET and POST: a fault that waits for such a request first, else what `found` gives."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: without this each answer waits for an ACK
    place: Any  # the FaultyServer
    body: str

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.reply()

    def do_POST(self) -> None:
        self.reply()

    def reply(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        asked, waiting = f"{self.command} {unquote(self.path)}", self.place.faults
        self.place.asked.append(asked)
        fault = next((item for item in waiting if re.search(item[0], asked)), None)
        if fault:
            waiting.remove(fault)
            if fault[1](self):
                return
        code, found = self.found()
        self.answer(code, json.dumps(found).encode(), JSON)

    def found(self) -> tuple[int, dict[str, Any]]:
        """Code and body of the answer to this request."""
        raise NotImplementedError

    def answer(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        try:
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # whoever asked is gone
            self.close_connection = True


@contextmanager
def serve(handler: type[FaultyHandler], make: Callable[[str], Served]) -> Iterator[Served]:
    """A server on a free port; `make` is given its address."""
    bound = type("Bound", (handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), bound) as http:
        http.daemon_threads = True
        bound.place = served = make(f"http://127.0.0.1:{http.server_port}")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            http.shutdown()
            thread.join()


def sends(body: bytes, kind: str = "application/json") -> Fault:
    """A whole answer with status 200 that is `body`."""

    def fault(handler: Any) -> bool:
        handler.answer(200, body, {"Content-Type": kind})
        return True

    return fault


def resets(handler: Any) -> bool:
    """Half of an answer, then RST."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"values": [["half')
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True
    return True


def drips(seconds: float) -> Fault:
    """An answer of which a byte comes now and then."""

    def fault(handler: Any) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                handler.wfile.write(b" ")
                handler.wfile.flush()
            except OSError:
                break
            time.sleep(0.05)
        handler.close_connection = True
        return True

    return fault


def sleeps(seconds: float) -> Fault:
    def fault(handler: Any) -> bool:
        time.sleep(seconds)
        return False

    return fault

"""A proxy in front of an S3 server that answers some requests as an overloaded service does."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

How = Literal["503", "reset"]
SLOW_DOWN = (
    b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate</Message></Error>"
)


@contextmanager
def flaky(endpoint: str, how: How, is_hit: Callable[[int], bool]) -> Iterator[tuple[str, list[str]]]:
    """Endpoint of the proxy and the requests that were hit; `is_hit(n)` decides about the n-th request, from 1."""
    lock, seen, hit = threading.Lock(), 0, list[str]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _answer(self) -> None:
            nonlocal seen
            body = self._body()
            with lock:
                seen += 1
                is_mine = is_hit(seen)
                if is_mine:
                    hit.append(f"{self.command} {self.path.split('?')[0]}")
            if not is_mine:
                self._pass_on(body)
            elif how == "503":
                self._send(503, {"Content-Type": "application/xml"}, SLOW_DOWN)
            else:  # closing with this option set sends RST instead of FIN
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True

        def _pass_on(self, body: bytes) -> None:
            upstream = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=30)
            kept = {name: value for name, value in self.headers.items() if name.lower() != "transfer-encoding"}
            upstream.request(self.command, self.path, body, {**kept, "Content-Length": str(len(body))})
            answer = upstream.getresponse()
            self._send(answer.status, dict(answer.getheaders()), answer.read())
            upstream.close()

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                    self.send_header(name, value)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", hit
    finally:
        server.shutdown()
        server.server_close()

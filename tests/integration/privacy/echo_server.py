"""An HTTP server that answers every request with an S3 error whose message repeats the request's headers."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CODES = {403: "AccessDenied", 404: "NoSuchBucket", 400: "InvalidToken", 501: "NotImplemented"}


class EchoServer:
    """`status` is what it answers; `requests` counts."""

    def __init__(self, status: int = 403) -> None:
        self.status, self.requests = status, 0
        outer = self

        class Answer(BaseHTTPRequestHandler):
            def answer(self) -> None:
                outer.requests += 1
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                said = " ".join(f"{name}: {value}" for name, value in self.headers.items())
                said = said.replace("<", "(").replace("&", "+")
                body = f"<?xml version='1.0'?><Error><Code>{CODES.get(outer.status, 'Bad')}</Code><Message>{said}</Message></Error>"
                self.send_response(outer.status, said[:2000])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body.encode())

            do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = answer  # noqa: N815  names that http.server asks for

            def log_message(self, *_: object) -> None:
                return None

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

"""What a server of Google's APIs does to those who ask: it refuses, resets, drips, sleeps, and has its sheet edited meanwhile.

A fault is given the handler of the request.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from typing import Any

STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
          408: "DEADLINE_EXCEEDED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 502: "UNAVAILABLE", 503: "UNAVAILABLE",
          504: "DEADLINE_EXCEEDED"}  # fmt: skip

Fault = Callable[[Any], bool]  # True: it has answered


class Refused(Exception):
    """An answer that is an error in Google's JSON."""

    def __init__(
        self, code: int, message: str, reason: str = "", status: str = "", headers: dict[str, str] | None = None
    ):
        super().__init__(message)
        self.code, self.headers = code, headers or {}
        error: dict[str, Any] = {"code": code, "message": message, "status": status or STATUS[code]}
        if reason:
            error["errors"] = [{"message": message, "domain": "usageLimits", "reason": reason}]
            error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
        self.body = {"error": error}


def no_grant() -> Refused:
    """The token endpoint's own form of an error: RFC 6749, 5.2."""
    refused = Refused(400, "")
    refused.body = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    return refused


def fails(code: int, reason: str = "", headers: dict[str, str] | None = None, status: str = "") -> Fault:
    def fault(handler: Any) -> bool:
        raise Refused(code, "it quotes 'values' and SECRET-VALUE of the request", reason, status, headers)

    return fault


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


def edits(change: Callable[[], None]) -> Fault:
    """Somebody edits the sheet just before this request is answered."""

    def fault(handler: Any) -> bool:
        change()
        return False

    return fault

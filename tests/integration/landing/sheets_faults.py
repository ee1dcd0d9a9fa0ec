"""What a server of Google's APIs does besides to those who ask: it refuses, and has its sheet edited meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.integration.landing.faulty_http import Fault

STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
          408: "DEADLINE_EXCEEDED", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 502: "UNAVAILABLE", 503: "UNAVAILABLE",
          504: "DEADLINE_EXCEEDED"}  # fmt: skip


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


def edits(change: Callable[[], None]) -> Fault:
    """Somebody edits the sheet just before this request is answered."""

    def fault(handler: Any) -> bool:
        change()
        return False

    return fault

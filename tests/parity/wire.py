"""Requests of Snowflake's protocol as ASGI hands them over: read whole, understood, handed on."""

from __future__ import annotations

import gzip
import json
from typing import Any


def is_said(scope: Any) -> bool:
    """Whether the request is a login or a statement."""
    return scope["type"] == "http" and scope["path"].endswith(("login-request", "query-request"))


async def body_of(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def said_in(body: bytes) -> dict[str, Any]:
    """What a login or statement says; the connector packs it."""
    found: dict[str, Any] = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
    return found


def handed_on(body: bytes) -> Any:
    """A `receive` that gives a body that was read already."""

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive

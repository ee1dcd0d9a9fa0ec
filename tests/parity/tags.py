"""Whose work a statement was: the query tag of the session that it came by, noted on the wire before the emulator."""

from __future__ import annotations

import gzip
import json
from typing import Any

noted: list[tuple[str, str]] = []  # tag and statement, in order


class Tags:
    """An ASGI application in front of another."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._by_token: dict[str, str] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if not path.endswith(("login-request", "query-request")):
            return await self._app(scope, receive, send)
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        said = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)

        async def again() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def answered(message: Any) -> None:
            if message["type"] == "http.response.body" and b'"token"' in message["body"]:
                token = json.loads(message["body"])["data"]["token"]
                self._by_token[token] = said["data"]["SESSION_PARAMETERS"].get("QUERY_TAG", "")
            await send(message)

        if path.endswith("login-request"):
            return await self._app(scope, again, answered)
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        token = given.removeprefix('Snowflake Token="').removesuffix('"')
        noted.append((self._by_token.get(token, ""), said["sqlText"]))
        return await self._app(scope, again, send)

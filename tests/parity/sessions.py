"""Whose work a statement was and what does it: query tag and virtual warehouse of its session, noted on the wire."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from wire import body_of, handed_on, is_said, said_in

USE = re.compile(r"\s*use warehouse \W?(\w+)", re.IGNORECASE)
CURRENT = re.compile(r"current_warehouse\(\)", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """A statement as it came, with tag and virtual warehouse of its session."""

    tag: str
    warehouse: str
    sql: str


@dataclass
class Session:
    """What a login said; `use warehouse` changes it."""

    tag: str = ""
    warehouse: str = ""


noted: list[Statement] = []  # in order


class Sessions:
    """An ASGI application in front of another."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._by_token: dict[str, Session] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not is_said(scope):
            return await self._app(scope, receive, send)
        body = await body_of(receive)
        said = said_in(body)

        async def answered(message: Any) -> None:
            if message["type"] == "http.response.body" and b'"token"' in message["body"]:
                token = json.loads(message["body"])["data"]["token"]
                asked = parse_qs(scope.get("query_string", b"").decode())
                tag = said["data"]["SESSION_PARAMETERS"].get("QUERY_TAG", "")
                self._by_token[token] = Session(tag, asked.get("warehouse", [""])[0].upper())
            await send(message)

        if "sqlText" not in said:
            return await self._app(scope, handed_on(body), answered)
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        token = given.removeprefix('Snowflake Token="').removesuffix('"')
        session = self._by_token.get(token, Session())
        noted.append(Statement(session.tag, session.warehouse, said["sqlText"]))
        if found := USE.match(said["sqlText"]):
            session.warehouse = found[1].upper()
        # The emulator has no virtual warehouses: a question for the current one is answered here.
        said["sqlText"] = CURRENT.sub(f"'{session.warehouse}'", said["sqlText"])
        body = json.dumps(said).encode()
        plain = [one for one in scope["headers"] if one[0] not in (b"content-encoding", b"content-length")]
        scope = {**scope, "headers": [*plain, (b"content-length", str(len(body)).encode())]}
        return await self._app(scope, handed_on(body), send)

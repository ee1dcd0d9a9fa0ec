"""Faults of Snowflake's service, on the wire before the emulator: logins and statements that are refused, lost or cut."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from wire import body_of, handed_on, is_said, said_in

# `refuse` answers with an error of Snowflake's instead of doing the statement; `lose` answers 503 instead, `lose_answer`
# does it and then answers 503; `call` calls `action` and goes on.
Kind = Literal["refuse", "lose", "lose_answer", "call"]


@dataclass
class Fault:
    """Statements that `pattern` is found in (`login by dbt` for one of dbt's) break, the first `times` of them."""

    pattern: str
    kind: Kind
    number: int = 0
    words: str = ""
    times: int = 10**6
    action: Callable[[], None] = lambda: None
    struck: list[str] = field(default_factory=list)


planned: list[Fault] = []


@contextmanager
def broken(fault: Fault) -> Iterator[Fault]:
    """Let the fault strike while the body runs; a fault that never did is a test of nothing."""
    planned.append(fault)
    try:
        yield fault
    finally:
        planned.remove(fault)
    assert fault.struck, f"no statement was like {fault.pattern!r}"


class Breaking:
    """An ASGI application in front of another."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not planned:
            return await self._app(scope, receive, send)
        body = await body_of(receive)
        fault, again = strikes(statement(scope, body)), handed_on(body)
        if fault is None:
            return await self._app(scope, again, send)
        if fault.kind == "refuse":
            said = {"data": {"errorCode": f"{fault.number:06d}", "sqlState": "42000"}, "code": f"{fault.number:06d}",
                    "message": fault.words, "success": False}  # fmt: skip
            return await answer(send, 200, said)
        if fault.kind == "lose":
            return await answer(send, 503, {})
        if fault.kind == "call":
            fault.action()
            return await self._app(scope, again, send)

        async def into_nothing(message: Any) -> None:
            pass

        await self._app(scope, again, into_nothing)
        return await answer(send, 503, {})


def statement(scope: Any, body: bytes) -> str:
    """The SQL of a request, `login by <application>` for a login, nothing for any other."""
    if not is_said(scope):
        return ""
    said = said_in(body)
    if "sqlText" in said:
        return str(said["sqlText"])
    return f"login by {said['data']['CLIENT_ENVIRONMENT']['APPLICATION']}"


def strikes(text: str) -> Fault | None:
    for fault in planned:
        if text and len(fault.struck) < fault.times and re.search(fault.pattern, text, re.IGNORECASE):
            fault.struck.append(text)
            return fault
    return None


async def answer(send: Any, status: int, said: dict[str, Any]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})

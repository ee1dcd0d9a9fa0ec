"""A server that speaks as much of Airbyte's public API as syncs need, with faults; what moves rows is given by the test.

Paths, shapes and codes are those of the reference (reference.airbyte.com) and of the platform's source: the token endpoint, jobs
(list, create, get) below `/api/public/v1`, and `jobs/get_without_logs` below `/api/v1`, which knows the attempts.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.integration.landing.faulty_http import JSON, Fault, FaultyHandler, FaultyServer, serve

PUBLIC = "/api/public/v1"
ENDED = ("succeeded", "failed", "cancelled")


@dataclass
class Sync:
    """A connection of Airbyte. A look at a job moves it on along `states`, unless it is `held`; the last but one moves the rows."""

    states: tuple[str, ...] = ("pending", "running", "running", "succeeded")
    move: Callable[[], int] = lambda: 3
    held: bool = False
    failure: str | None = "Could not connect with the given password hunter2"
    knows_rows: bool = True


@dataclass
class Job:
    number: int
    sync_id: str
    kind: str = "sync"
    place: int = 0
    rows: int = 0


@dataclass
class Server(FaultyServer):
    client_id: str
    secret: str
    syncs: dict[str, Sync] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return self.address + PUBLIC

    @property
    def credentials(self) -> str:
        return f"{self.client_id}:{self.secret}"

    def state(self, job: Job) -> str:
        return self.syncs[job.sync_id].states[job.place]

    def look(self, job: Job) -> None:
        """Time passes."""
        sync = self.syncs[job.sync_id]
        if sync.held or self.state(job) in ENDED:
            return
        job.place += 1
        if self.state(job) == "succeeded":
            job.rows = sync.move()


def says(code: int, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Fault:
    """An answer in Airbyte's JSON."""

    def fault(handler: Any) -> bool:
        text = json.dumps(body or {"message": "something with a SECRET-VALUE in it"}).encode()
        handler.answer(code, text, {**JSON, **(headers or {})})
        return True

    return fault


def problem(code: int, title: str, detail: str) -> tuple[int, dict[str, Any]]:
    kind = f"https://reference.airbyte.com/reference/errors#{title}"
    return code, {"type": kind, "title": title, "status": code, "detail": detail}


class Handler(FaultyHandler):
    place: Server

    def found(self) -> tuple[int, dict[str, Any]]:
        with self.place.lock:
            return self._found(self.place)

    def _found(self, state: Server) -> tuple[int, dict[str, Any]]:
        address = urlsplit(self.path)
        path, asked = address.path, {name: values[0] for name, values in parse_qs(address.query).items()}
        if (self.command, path) == ("POST", f"{PUBLIC}/applications/token"):
            return self._token(state)
        if not path.startswith((f"{PUBLIC}/", "/api/v1/jobs/get")):
            return 404, {"message": "Not Found"}
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in state.tokens:
            return 401, {"message": "Unauthorized"}
        if (self.command, path) == ("POST", "/api/v1/jobs/get_without_logs"):
            return self._attempts(state, json.loads(self.body)["id"])
        if match := re.fullmatch(rf"{PUBLIC}/jobs/(\d+)", path):
            job = state.jobs[int(match[1]) - 1]
            state.look(job)
            return 200, self._job(state, job)
        if path != f"{PUBLIC}/jobs":
            return 404, {"message": "Not Found"}
        body = json.loads(self.body) if self.command == "POST" else {}
        sync_id = body.get("connectionId") or asked.get("connectionId")
        if sync_id not in state.syncs:
            return problem(404, "resource-not-found", f"Could not find a resource for: {sync_id}")
        jobs = [job for job in state.jobs if job.sync_id == sync_id]
        if self.command == "GET":
            newest = jobs[::-1] if asked["orderBy"] == "createdAt|DESC" else jobs
            return 200, {
                "data": [self._job(state, job) for job in newest[: int(asked["limit"])]],
                "next": "",
                "previous": "",
            }
        if any(state.state(job) not in ENDED for job in jobs):
            return problem(409, "try-again-later", f"A sync is already running for: {sync_id}")
        assert body["jobType"] == "sync"
        state.jobs.append(Job(len(state.jobs) + 1, sync_id))
        return 200, self._job(state, state.jobs[-1])

    def _token(self, state: Server) -> tuple[int, dict[str, Any]]:
        form = {name: values[0] for name, values in parse_qs(self.body).items()}
        given = (form.get("grant_type"), form.get("client_id"), form.get("client_secret"))
        if given != ("client_credentials", state.client_id, state.secret):
            return 401, {"message": "Unauthorized"}
        token = secrets.token_urlsafe(20)
        state.tokens.add(token)
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 180}

    def _job(self, state: Server, job: Job) -> dict[str, Any]:
        facts = {"jobId": job.number, "status": state.state(job), "jobType": job.kind, "connectionId": job.sync_id,
                 "startTime": "2026-01-25T01:30:50Z", "lastUpdatedAt": "2026-01-25T01:31:52Z", "duration": "PT1M2S"}  # fmt: skip
        counted = {"rowsSynced": job.rows, "bytesSynced": 100 * job.rows}
        return {**facts, **(counted if state.syncs[job.sync_id].knows_rows else {})}

    def _attempts(self, state: Server, number: int) -> tuple[int, dict[str, Any]]:
        failure = state.syncs[state.jobs[number - 1].sync_id].failure
        summary = {"failures": [{"failureOrigin": "source", "failureType": "config_error", "externalMessage": failure,
                                 "internalMessage": "never shown"}]}  # fmt: skip
        attempt = {"id": 0, "status": "failed", "failureSummary": summary if failure else None}
        return 200, {"job": {"id": number}, "attempts": [{"attempt": attempt}, {"attempt": {**attempt, "id": 1}}]}


def airbyte_server() -> AbstractContextManager[Server]:
    """A server with one application that may log in."""
    return serve(Handler, lambda address: Server(address, f"client-{urlsplit(address).port}", "hunter2"))

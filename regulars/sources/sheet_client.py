"""The client of Google Sheets: gspread, with a place to go to, patience with quotas, and an end to every wait."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gspread
import requests
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.oauth2.service_account import Credentials
from gspread.http_client import HTTPClient
from pydantic import BaseModel, ConfigDict, Field, field_validator
from urllib3.exceptions import HTTPError

from regulars.errors import ConfigError, SourceError, TransientError
from regulars.patience import Patience, retry_after
from regulars.settings import without_login
from regulars.sources.base import Request
from regulars.sources.options import checked

# The least that reading needs: cells, and of files their names and when they were changed.
PLACE = "https://www.googleapis.com/auth"
SCOPES = (f"{PLACE}/spreadsheets.readonly", f"{PLACE}/drive.metadata.readonly")
WRITING = (f"{PLACE}/spreadsheets", f"{PLACE}/drive.metadata.readonly")
HEALING = {408, 429, 500, 502, 503, 504}
OVER_QUOTA = {"rateLimitExceeded", "userRateLimitExceeded"}  # which Drive says with 403
CONNECT_SECONDS = 20.0
MOST_BYTES = 256 << 20  # of one answer; a range that is asked for has a hundredth of that
LOCAL = {"127.0.0.1", "localhost", "::1"}


class SheetOptions(BaseModel):
    """Options of a connection of kind `sheet`; docs/sources.md describes each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str | None = None
    silence_timeout_seconds: float = Field(600, gt=0)
    answer_timeout_seconds: float = Field(200, gt=0)
    rows_per_request: int = Field(20_000, ge=1)

    @field_validator("endpoint")
    @classmethod
    def _is_safe(cls, value: str | None) -> str | None:
        address = urlsplit(without_login(value) or "https:")
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOCAL):
            raise ValueError("it must begin with https://: the key's token goes there")
        return value


class Key(Credentials):  # type: ignore[no-untyped-call,misc,unused-ignore]
    """A service account's key that asks for tokens and nothing else.

    google-auth would also ask another service of Google, in a thread that nothing waits for, in which regions the account
    may be used; sheets lie in none, and a connection with an `endpoint` is to reach that alone.
    """

    def before_request(self, request: Any, method: str, url: str, headers: Any) -> None:
        """Put a token into the headers of a request, a new one where the last has run out."""
        if not self.valid:
            self.refresh(request)  # type: ignore[no-untyped-call]
        self.apply(headers)  # type: ignore[no-untyped-call]


class Answer(requests.Response):
    """A whole answer that was read and is JSON."""

    def __init__(self, given: requests.Response, body: bytes) -> None:
        super().__init__()
        self.status_code, self.headers, self.reason, self.url = (
            given.status_code,
            given.headers,
            given.reason,
            given.url,
        )
        self.raw, self.encoding = io.BytesIO(body), "utf-8"
        self._parsed = json.loads(body) if given.ok else None

    def json(self, **options: Any) -> Any:
        """The parsed answer; of an error, what it holds."""
        return self._parsed if self.ok else super().json(**options)


class PatientClient(HTTPClient):
    """Sends what gspread asks for to `options.endpoint`, and tries again what may heal until nothing came for too long."""

    options = SheetOptions()

    def request(
        self,
        method: str,
        endpoint: str,
        params: Any = None,
        data: Any = None,
        json: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> requests.Response:
        """The answer to a request that reads, or whose edits may be made twice. Raises gspread's APIError for what will not
        heal, TransientError."""
        patience = Patience(self.options.silence_timeout_seconds)
        while True:
            asked_to_wait = None
            try:
                answer = self._answer(method, self._address(endpoint), params, json)
            except RefreshError as error:
                if not error.retryable:
                    raise
                cause = "the login service is not available"
            except (requests.RequestException, HTTPError, TransportError, OSError) as error:
                is_slow = isinstance(error, requests.Timeout) or "timed out" in str(error)
                cause = "no answer in time" if is_slow else "the connection broke off"
            except ValueError:  # of json, and of a wrong encoding
                cause = "an answer that is not JSON, or was cut"
            else:
                if answer.ok:
                    return answer
                cause, asked_to_wait = _why_to_wait(answer)
                if not cause:
                    raise gspread.exceptions.APIError(answer)
            if not patience.pause(asked_to_wait):
                asks = f", and asks to wait {asked_to_wait:.0f} seconds" if asked_to_wait else ""
                raise TransientError(
                    f"Google Sheets gave no answer within {self.options.silence_timeout_seconds:g} seconds "
                    f"({patience.tries} tries; the last: {cause}{asks})",
                    remedy="run again later; where it is the quota, let fewer runs share the service account, or raise "
                    "silence_timeout_seconds of the connection",
                )

    def _address(self, url: str) -> str:
        place = self.options.endpoint
        return url if place is None else place.rstrip("/") + urlsplit(url).path

    def _answer(self, method: str, url: str, params: Any, edits: Any) -> Answer:
        longest = self.options.answer_timeout_seconds
        until, body = time.monotonic() + longest, bytearray()
        with self.session.request(
            method, url, params=params, json=edits, timeout=(min(CONNECT_SECONDS, longest), longest), stream=True
        ) as given:
            while chunk := given.raw.read1(1 << 16, decode_content=True):
                body += chunk
                if time.monotonic() > until:
                    raise requests.Timeout
                if len(body) > MOST_BYTES:
                    raise SourceError(
                        f"Google Sheets answered with more than {MOST_BYTES} bytes", remedy="lower rows_per_request"
                    )
            return Answer(given, bytes(body))


def _why_to_wait(answer: requests.Response) -> tuple[str, float | None]:
    """Why an error may heal (empty: it will not), and the seconds that the server asks to wait."""
    words = reasons(answer)
    if answer.status_code not in HEALING and not (answer.status_code == 403 and words & OVER_QUOTA):
        return "", None
    is_quota = answer.status_code in (403, 429)
    return "the quota is used up" if is_quota else f"status {answer.status_code}", retry_after(
        answer.headers.get("Retry-After")
    )


def reasons(answer: requests.Response) -> set[str]:
    """The words by which Google's APIs tell errors apart: status, and reason of each detail."""
    try:
        error = answer.json()["error"]
        details = [*error.get("errors", ()), *error.get("details", ())]
        return {str(error.get("status")), *(str(detail.get("reason")) for detail in details)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return set()


@contextmanager
def sheet_client(request: Request, scopes: tuple[str, ...] = SCOPES) -> Iterator[tuple[gspread.Client, str]]:
    """A client and the e-mail address of its service account; closed with the body. Raises ConfigError."""
    name = request.source.connection
    options = checked(SheetOptions, request.connection.options, f"connections.{name}.options")
    key = _key(request, f"sources.yml: connections.{name}.credentials", scopes)
    client = gspread.Client(key, http_client=PatientClient)
    client.http_client.options = options  # type: ignore[attr-defined]
    try:
        yield client, str(key.service_account_email)
    finally:
        client.http_client.session.close()


def _key(request: Request, place: str, scopes: tuple[str, ...]) -> Key:
    """The service account's key, from JSON or a file of it; nothing of what it holds is ever said."""
    given = (request.connection.credentials or "").strip()
    remedy = "give the JSON key of a service account, the path of its file, or a Secret block that holds it"
    try:
        if not given.startswith("{"):
            given = (request.base_dir / Path(given).expanduser()).read_text()
    except (OSError, ValueError, RuntimeError):
        raise ConfigError(f"{place}: it is neither JSON nor a file that can be read", remedy=remedy) from None
    try:
        facts = json.loads(given)
        if facts.get("type") != "service_account":
            raise ConfigError(f"{place}: it is not the key of a service account", remedy=remedy)
        return Key.from_service_account_info(facts, scopes=scopes)  # type: ignore[no-untyped-call,no-any-return]
    except (ValueError, AttributeError, TypeError, GoogleAuthError):
        raise ConfigError(f"{place}: it is not a whole service account key", remedy=remedy) from None

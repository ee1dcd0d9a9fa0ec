"""Airbyte's API through its official client: login, an end to every wait, and what it refuses in our words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, Field

from regulars.engine_errors import without_values
from regulars.errors import ConfigError, RegularsError, SourceError, TransientError
from regulars.extras import absent_modules
from regulars.patience import Patience, retry_after
from regulars.sources.config import Connection

if absent_modules(("airbyte_api",)):
    raise ConfigError(
        "mover: airbyte needs airbyte-api, which is not installed", remedy="pip install 'regulars[airbyte]'"
    )

import airbyte_api
from airbyte_api import api, errors, models

HEALING = {408, 425, 429, 500, 502, 503, 504}
CONNECT_SECONDS = 20.0
TOKEN_REFUSED = re.compile(r"Unexpected status code (\d+) from token endpoint")
SELF_MANAGED = (
    "/api/public/v1"  # where a self-managed Airbyte has its public API; `/api/v1` beside it knows the attempts of a job
)
MAIL = re.compile(r"\S+@\S+")
LONGEST_REASON = 300


class AirbyteOptions(BaseModel):
    """Options of a connection of kind `airbyte`; docs/sources.md describes each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    timeout_minutes: float = Field(120, gt=0)
    poll_seconds: float = Field(5, gt=0)
    answer_timeout_seconds: float = Field(60, gt=0)
    silence_timeout_seconds: float = Field(600, gt=0)


class AirbyteClient:
    """The jobs of Airbyte's connection `sync_id`. Tries again what may heal; `place` names it in messages."""

    def __init__(self, name: str, connection: Connection, sync_id: str, options: AirbyteOptions) -> None:
        self.place = f"{name}: sync {sync_id}"
        self._name, self._sync_id, self._options = name, sync_id, options
        self._url = _url_of(name, connection)
        given = (connection.credentials or "").strip()
        self._secrets = [part for part in (given, *given.split(":", 1)) if part]
        connect = min(CONNECT_SECONDS, options.answer_timeout_seconds)
        self._http = httpx.Client(timeout=httpx.Timeout(options.answer_timeout_seconds, connect=connect))
        self._api = airbyte_api.AirbyteAPI(
            server_url=self._url,
            security=_security(given, self._url),
            client=self._http,
            async_client=httpx.AsyncClient(),  # never used; one of its own would be closed by an event loop of its own
        )
        self._login = ""

    def __enter__(self) -> AirbyteClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def newest_jobs(self) -> Sequence[Any]:
        """Its newest jobs, `JobResponse` of the client."""
        request = api.ListJobsRequest(connection_id=self._sync_id, order_by="createdAt|DESC", limit=20)
        return list(self._ask(lambda: self._api.jobs.list_jobs(request=request)).jobs_response.data)

    def look(self, job_id: int) -> Any:
        """One job as it is now."""
        return self._ask(lambda: self._api.jobs.get_job(request=api.GetJobRequest(job_id=job_id))).job_response

    def start(self) -> tuple[Any, str]:
        """A new job; or None and what Airbyte says where it starts none because of another one (409)."""
        request = models.JobCreateRequest(connection_id=self._sync_id, job_type=models.JobTypeEnum.SYNC)
        try:
            return self._ask(lambda: self._api.jobs.create_job(request=request), passing=409).job_response, ""
        except errors.AirbyteAPIError as error:
            return None, self._said(error)

    def reason(self, job_id: int) -> str:
        """Why a job failed, as its newest attempt says; empty where that cannot be found out.

        The public API does not tell. A self-managed Airbyte does at an address that its own pages use, for the same login.
        """
        if not self._url.endswith(SELF_MANAGED):
            return ""
        address = f"{self._url.removesuffix(SELF_MANAGED)}/api/v1/jobs/get_without_logs"
        try:
            answer = self._http.post(
                address, json={"id": job_id}, headers={"Authorization": self._login} if self._login else {}
            )
            attempts = [one["attempt"] for one in answer.json()["attempts"]]
            failures = [
                attempt["failureSummary"]["failures"][0] for attempt in attempts if attempt.get("failureSummary")
            ]
            last = failures[-1]
            words = self._plain(last["externalMessage"])
            count = f"{len(attempts)} attempt{'s' if len(attempts) > 1 else ''}"
            return f"{last.get('failureOrigin') or 'airbyte'}: {words} ({count})" if words else ""
        except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError, AttributeError):
            return ""

    def _ask(self, call: Callable[[], Any], passing: int = 0) -> Any:
        """What the client answers; its own error only for the status `passing`."""
        patience, is_new_login = Patience(self._options.silence_timeout_seconds), False
        while True:
            wait = None
            try:
                answer = call()
                self._login = answer.raw_response.request.headers.get("Authorization", "")
                return answer
            except errors.AirbyteAPIError as error:
                if error.status_code == passing:
                    raise
                if error.status_code == 401 and not is_new_login:
                    is_new_login = True  # a token lives for minutes, and the client asks for another one
                    continue
                if error.status_code not in HEALING:
                    raise self._refused(error) from None
                cause, wait = f"status {error.status_code}", retry_after(error.headers.get("Retry-After"))
            except httpx.RequestError as error:
                cause = "no answer in time" if isinstance(error, httpx.TimeoutException) else "the connection broke off"
            except ValueError:  # of json: a page in place of a token
                raise self._no_api() from None
            except Exception as error:  # which is all that the client says of its login
                status = TOKEN_REFUSED.fullmatch(str(error))
                if status is None:
                    raise
                if int(status[1]) not in HEALING:
                    raise self._no_api() if status[1] in ("404", "405") else self._no_login() from None
                cause = f"status {status[1]} of the login"
            if not patience.pause(wait):
                raise TransientError(
                    f"{self.place}: Airbyte gave no answer within {self._options.silence_timeout_seconds:g} seconds "
                    f"({patience.tries} tries; the last: {cause})",
                    remedy="see whether it runs and is reachable from here, then run again: a job that runs is waited for",
                )

    def _refused(self, error: Any) -> RegularsError:
        status = error.status_code
        if status in (401, 403):
            return self._no_login()
        if 200 <= status < 400:
            return self._no_api()
        if status in (400, 404, 422):
            return SourceError(
                f"{self.place}: Airbyte does not know it: {self._said(error)}",
                remedy="correct sync in sources.yml: it is the id in the address of the connection's page in Airbyte; the login must be of its workspace",
            )
        return SourceError(f"{self.place}: {self._said(error)}", remedy="look at the connection in Airbyte")

    def _no_login(self) -> RegularsError:
        return SourceError(
            f"{self.place}: Airbyte refused the login of connections.{self._name}",
            remedy="give client id and secret of an application (Airbyte: Settings > Applications) as id:secret, "
            "or a token; its user must be allowed to run the connection",
        )

    def _no_api(self) -> RegularsError:
        return ConfigError(
            f"sources.yml: connections.{self._name}.url: what answers there is not Airbyte's API, or one of another version",
            remedy=f"of a self-managed Airbyte it ends with {SELF_MANAGED}; Airbyte Cloud is https://api.airbyte.com/v1",
        )

    def _said(self, error: Any) -> str:
        """What Airbyte says of a request that it refuses."""
        try:
            body = json.loads(error.body)
            words = str(body.get("detail") or body.get("message") or body.get("title") or "")
        except (ValueError, AttributeError):
            words = ""
        return f"status {error.status_code}" + (f", {self._plain(words)}" if words else "")

    def _plain(self, words: str) -> str:
        """The first line, without secrets, addresses of people and what engines quote of rows."""
        for secret in self._secrets:
            words = words.replace(secret, "...")
        return MAIL.sub("...", without_values(words))[:LONGEST_REASON]


def _url_of(name: str, connection: Connection) -> str:
    place = f"sources.yml: connections.{name}.url"
    try:
        address = urlsplit(connection.url or "")
        is_address = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:  # of a port that is none
        is_address = False
    if not is_address:
        raise ConfigError(
            f"{place}: it is not the http(s) address of an API", remedy=f"such as http://localhost:8000{SELF_MANAGED}"
        )
    if address.username is not None or address.query or address.fragment:
        raise ConfigError(f"{place}: it holds more than an address", remedy="a login belongs into credentials")
    return (connection.url or "").rstrip("/")


def _security(given: str, url: str) -> Any:
    """What to log in with: `client id:client secret`, a token, or nothing at all."""
    if not given:
        return None
    client_id, separator, secret = given.partition(":")
    if not separator:
        return models.Security(bearer_auth=given)
    return models.Security(
        client_credentials=models.SchemeClientCredentials(
            client_id=client_id, client_secret=secret, token_url=f"{url}/applications/token"
        )  # the client's own default leaves out the path of `url`
    )

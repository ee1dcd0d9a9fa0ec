"""The mover `airbyte`: its official client against a server that speaks the API, with every way to go wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from regulars.errors import ConfigError, SourceError, StillRunning, TransientError
from regulars.movers.airbyte import Moved, sync
from regulars.settings import PROJECT_DIR
from regulars.sources.config import Connection
from tests.integration.landing.airbyte_server import Job, Server, Sync, airbyte_server, says
from tests.integration.landing.faulty_http import resets, sends, sleeps

SYNC = "18dccc91-0ab1-4f72-9ed7-0b8fc27c5826"
OTHER = "9924bcd0-99be-453d-ba47-c2c9766f7da5"
QUICK = {"poll_seconds": 0.02, "silence_timeout_seconds": 10, "answer_timeout_seconds": 0.5}


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with airbyte_server() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    running.syncs, running.jobs, running.faults, running.asked = {SYNC: Sync()}, [], [], []
    yield running
    assert running.faults == [], "a fault that was never met tests nothing"


def run(server: Server, sync_id: str = SYNC, told: list[Moved] | None = None, **changes: Any) -> Moved:
    options = {**QUICK, **changes.pop("options", {})}
    given = {"kind": "airbyte", "url": server.url, "credentials": server.credentials, **changes}
    return sync("lake", Connection(**given, options=options), sync_id, (told if told is not None else []).append)


def test_a_sync_is_started_waited_for_and_counted(server: Server) -> None:
    told: list[Moved] = []
    moved = run(server, told=told)
    assert moved == Moved(1, "succeeded", "sync", 3, 300, datetime(2026, 1, 25, 1, 30, 50), 62.0)
    assert [job.status for job in told] == ["pending", "running", "running", "succeeded"]
    assert server.calls("^POST .*/jobs$") == 1
    assert run(server).job_id == 2, "the next run moves again"


@pytest.mark.parametrize("kind", ["sync", "refresh"])
def test_a_job_that_runs_is_joined(server: Server, kind: str) -> None:
    server.jobs = [Job(1, SYNC, kind, place=1)]
    assert run(server).job_id == 1
    assert server.calls("^POST .*/jobs$") == 0


@pytest.mark.parametrize("kind", ["clear", "reset"])
def test_after_a_job_that_empties_the_destination_a_sync_is_started(server: Server, kind: str) -> None:
    server.jobs = [Job(1, SYNC, kind, place=1)]
    assert run(server).job_id == 2


def test_a_job_that_begins_at_the_same_time_is_joined(server: Server) -> None:
    """Airbyte's own schedule, between our look and our start: 409, and then it is there."""

    def begins(handler: Any) -> bool:
        server.jobs.append(Job(1, SYNC))
        return False

    server.faults = [("^POST .*/jobs$", begins)]
    assert run(server).job_id == 1
    assert server.calls("^POST .*/jobs$") == 1


def test_a_conflict_with_nothing_to_wait_for_is_told_in_airbytes_words(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regulars.movers.airbyte.CONFLICT_SECONDS", 0.6)
    server.faults = [("^POST .*/jobs$", says(409, {"detail": "The connection is disabled"}))] * 2
    with pytest.raises(TransientError, match="status 409, The connection is disabled") as refused:
        run(server)
    assert "enable it" in refused.value.remedy


def test_an_attempt_that_failed_is_none_to_end_with(server: Server) -> None:
    server.syncs[SYNC].states = ("pending", "running", "incomplete", "incomplete", "running", "succeeded")
    assert run(server).status == "succeeded"


def test_what_may_heal_is_tried_again(server: Server) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    server.faults = [
        ("applications/token", says(503)),
        ("^GET .*/jobs\\?", says(429, headers={"Retry-After": "0"})),
        ("^POST .*/jobs$", says(500)),
        ("^GET .*/jobs/1", says(502, headers={"Retry-After": soon})),
        ("^GET .*/jobs/1", resets),
        ("^GET .*/jobs/1", sleeps(0.6)),
    ]
    server.tokens.clear()
    assert run(server, credentials=fresh(server)).status == "succeeded"
    assert len(server.jobs) == 1


def fresh(server: Server) -> str:
    """Another secret: the client keeps tokens of known ones for the whole process."""
    server.secret = f"hunter2-{time.monotonic_ns()}"
    return server.credentials


def test_a_start_whose_answer_was_lost_is_not_repeated(server: Server) -> None:
    def starts_and_resets(handler: Any) -> bool:
        server.jobs.append(Job(1, SYNC))
        return resets(handler)

    server.faults = [("^POST .*/jobs$", starts_and_resets)]
    assert run(server).job_id == 1
    assert len(server.jobs) == 1


def test_silence_ends_in_a_transient_error(server: Server) -> None:
    server.faults = [("^GET .*/jobs", says(503))] * 4  # more than fit into a second: waits are drawn by chance
    with pytest.raises(TransientError, match=r"no answer within 1 seconds \([23] tries; the last: status 503\)"):
        run(server, options={"silence_timeout_seconds": 1})
    server.faults.clear()


def test_a_token_that_ran_out_is_asked_for_again(server: Server) -> None:
    server.faults = [("^GET .*/jobs/1", lambda handler: bool(server.tokens.clear()))]
    assert run(server, credentials=fresh(server)).status == "succeeded"
    assert server.calls("applications/token") == 2


def test_a_token_is_a_login_as_well(server: Server) -> None:
    server.tokens.add("a-token")
    assert run(server, credentials="a-token").status == "succeeded"
    assert server.calls("applications/token") == 0


@pytest.mark.parametrize("credentials", ["someone:else", "no-such-token", None])
def test_a_refused_login_says_what_to_give(server: Server, credentials: str | None) -> None:
    with pytest.raises(SourceError, match="refused the login") as refused:
        run(server, credentials=credentials)
    assert "id:secret" in refused.value.remedy and str(credentials) not in str(refused.value)


def test_an_unknown_connection_is_named(server: Server) -> None:
    with pytest.raises(
        SourceError, match=f"lake: sync {OTHER}: Airbyte does not know it: status 404, Could not"
    ) as refused:
        run(server, OTHER)
    assert "correct sync" in refused.value.remedy


@pytest.mark.parametrize("path", ["", "/api/v1", "/api/public"])
def test_an_address_that_is_not_the_api_is_told(server: Server, path: str) -> None:
    with pytest.raises(ConfigError, match=r"connections.lake.url") as wrong:
        run(server, url=server.address + path, credentials=fresh(server))
    assert "/api/public/v1" in wrong.value.remedy


def test_a_page_in_place_of_an_answer_is_told(server: Server) -> None:
    server.faults = [("^GET .*/jobs", sends(b"<html>Airbyte</html>", "text/html"))]
    with pytest.raises(ConfigError, match="not Airbyte's API"):
        run(server)
    server.faults = [("token", sends(b"<html>Airbyte</html>", "text/html"))]
    with pytest.raises(ConfigError, match="not Airbyte's API"):
        run(server, credentials=fresh(server))


@pytest.mark.parametrize("url", [None, "localhost:8000", "ftp://a/b", "http://a:99999/api", "https://me:you@a/api"])
def test_an_address_that_cannot_be_one_is_refused(server: Server, url: str | None) -> None:
    with pytest.raises(ConfigError, match=r"connections.lake.url") as wrong:
        run(server, url=url)
    assert "you" not in str(wrong.value)


def test_a_failed_job_fails_with_its_own_message_and_without_secrets(server: Server) -> None:
    server.syncs[SYNC].states = ("pending", "incomplete", "failed")
    server.syncs[SYNC].failure = f"Wrong login {server.secret} at postgres://a:b@c/d for jane@example.org\nat line 7"
    with pytest.raises(SourceError) as failed:
        run(server)
    said = failed.value.message
    assert said == f"lake: sync {SYNC}: job 1 failed: source: Wrong login ... at ... for ... (2 attempts)"
    assert "job 1" in failed.value.remedy


@pytest.mark.parametrize("fault", [says(404), says(200, {"attempts": []}), resets, sends(b"no json")])
def test_a_failed_job_whose_reason_is_not_told(server: Server, fault: Any) -> None:
    server.syncs[SYNC].states = ("pending", "failed")
    server.faults = [("get_without_logs", fault)]
    with pytest.raises(SourceError, match="does not say why; it counts 0 rows in 62 seconds"):
        run(server)


def test_a_failure_without_words_is_one_whose_reason_is_not_told(server: Server) -> None:
    server.syncs[SYNC].states = ("pending", "failed")
    said = {"attempts": [{"attempt": {"failureSummary": {"failures": [{"externalMessage": None}]}}}]}
    server.faults = [("get_without_logs", says(200, said))]
    with pytest.raises(SourceError, match="does not say why"):
        run(server)


def test_a_conflict_where_nothing_is_started_is_an_error_of_ours(server: Server) -> None:
    server.faults = [("^GET .*/jobs", says(409, {"detail": "The workspace is locked"}))]
    with pytest.raises(SourceError, match="status 409, The workspace is locked"):
        run(server)


def test_a_cancelled_job_is_an_error(server: Server) -> None:
    server.syncs[SYNC].states = ("pending", "cancelled")
    with pytest.raises(SourceError, match="job 1 was cancelled in Airbyte"):
        run(server)


def test_a_job_that_takes_too_long_goes_on_and_is_joined_by_the_next_run(server: Server) -> None:
    server.syncs[SYNC].held = True
    with pytest.raises(StillRunning, match=r"job 1 is pending after 0.001 minutes; Airbyte goes on with it"):
        run(server, options={"timeout_minutes": 0.001})
    server.syncs[SYNC].held = False
    assert run(server).job_id == 1


def test_wrong_options_are_named(server: Server) -> None:
    with pytest.raises(ConfigError, match=r"connections.lake.options.patience"):
        run(server, options={"patience": 3})


def test_a_killed_run_is_followed_by_one_that_joins_its_job(server: Server) -> None:
    server.syncs[SYNC].held = True
    program = (
        "import sys; from regulars.movers.airbyte import sync; from regulars.sources.config import Connection; "
        "sync('lake', Connection(kind='airbyte', url=sys.argv[1], credentials=sys.argv[2], options={'poll_seconds': 0.05}), sys.argv[3])"
    )
    child = subprocess.Popen([sys.executable, "-c", program, server.url, server.credentials, SYNC], cwd=PROJECT_DIR)
    until = time.monotonic() + 60
    while server.calls("^GET .*/jobs/1") < 2 and time.monotonic() < until:
        time.sleep(0.05)
    child.kill()
    assert child.wait() == -signal.SIGKILL
    server.syncs[SYNC].held = False
    assert run(server).job_id == 1
    assert len(server.jobs) == 1 and server.calls("^POST .*/jobs$") == 1

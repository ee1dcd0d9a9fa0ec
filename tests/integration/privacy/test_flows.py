"""Flows under a real Prefect that fail at every stage over marked data; then everything that was written is searched."""

from __future__ import annotations

import csv
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from prefect.blocks.system import Secret
from prefect.logging.handlers import APILogHandler
from prefect.settings import (
    PREFECT_LOGGING_LEVEL,
    PREFECT_LOGGING_TO_API_ENABLED,
    PREFECT_SERVER_DATABASE_CONNECTION_URL,
    temporary_settings,
)
from pydantic import SecretStr

from flows.ingest import ingest
from flows.loyalty import daily_loyalty_merge
from flows.segment import segment
from flows.transform import transform
from regulars.errors import BuildError, GateBlocked, GuardBlocked, RegularsError
from regulars.sample.spec import SampleSpec
from regulars.sample.write import write_sample
from regulars.settings import PROJECT_DIR, Settings
from tests.integration.privacy.canaries import EVERYTHING, PERSONAL, SECRETS, Search, process_texts
from tests.integration.privacy.conftest import s3_marks

SPEC = SampleSpec(users=500, days=2, seed=11, start=date(2026, 1, 5))
DAYS = SPEC.all_days()
FILES = ["user_activity", "engagement_score", "retention_action", "region_metadata", "region_thresholds"]
MARKED = {
    "user_profile": {"email": "{email}{n}@example.org", "full_name": "{name} {n}", "phone": "+49 {n} {phone}", "postal_address": "{address} {n}"},
    "user_activity": {"feedback_text": "{feedback}"},
    "retention_action": {"notes": "{notes}"},
    "support_calls": {"agent_notes": "{agentnotes}"},
}  # fmt: skip
PERMITTED = ("email", "phone")  # what the deliveries of the project's segments may hold


def mark_file(path: Path, table: str) -> list[list[str]]:
    """Put marks into the personal columns of a sample file; its records, the header first."""
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    for number, row in enumerate(rows):
        for column, text in MARKED.get(table, {}).items():
            row[header.index(column)] = text.format(n=number, **PERSONAL)
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return [header, *rows]


class Company:
    """Its home, and `attempt`, which keeps what a failing action raised."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.home, self.set = folder, folder / "home", monkeypatch.setenv
        self.errors: list[BaseException] = []
        self.tables: dict[str, Any] = {
            table: {"from": "files", "path": f"{table}/{{as_of}}.csv"} for table in FILES
        } | {
            "user_profile": {"from": "crm", "table": "public.profile"},
            "support_calls": {"from": "calls", "table": "public.support_calls", "required": False},
        }  # fmt: skip
        self.connections: dict[str, Any] = {
            "files": {"kind": "files", "path": str(folder / "sample")},
            "crm": {"kind": "postgres", "url": "{{ prefect.blocks.secret.crm-url }}"},
            "calls": {"kind": "postgres", "url": "${CALLS_URL}"},
        }
        monkeypatch.setenv("REGULARS_SOURCES", str(folder / "sources.yml"))
        monkeypatch.setenv("REGULARS_HOME", str(self.home))
        monkeypatch.setenv("REGULARS_PSEUDONYM_KEY", SECRETS["pseudonymkey"])
        for name, value in s3_marks("http://127.0.0.1:1").items():
            monkeypatch.setenv(f"REGULARS_S3__{name.upper()}", value)
        self.write()

    def write(self, connections: dict[str, Any] | None = None, **tables: Any) -> None:
        """sources.yml with other entries for some tables."""
        document = {"connections": self.connections | (connections or {}), "tables": self.tables | tables}
        (self.folder / "sources.yml").write_text(yaml.safe_dump(document))

    def attempt(self, action: Callable[[], Any], kind: type[BaseException] = RegularsError) -> None:
        with pytest.raises(kind) as caught:
            action()
        self.errors.append(caught.value)

    def land_profile(self, **entry: Any) -> None:
        """Read the profiles again by another entry, which must fail."""
        self.write(user_profile=entry)
        self.attempt(lambda: ingest(DAYS[1], tables=["user_profile"], refresh=True))
        self.write()


@pytest.fixture
def company(
    prefect_server: None, postgres: dict[str, str], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Company]:
    write_sample(SPEC, tmp_path / "sample")
    for day in DAYS:
        for table in MARKED:
            records = mark_file(tmp_path / "sample" / table / f"{day}.csv", table)
            if table == "user_profile":
                profiles = records
    with psycopg.connect(postgres["superuser"], autocommit=True) as session:
        columns = ", ".join(f"{name} text" for name in profiles[0])
        session.execute(f"drop table if exists profile; create table profile ({columns})")
        marks = ", ".join("nullif(%s, '')" for _ in profiles[0])
        with session.cursor() as cursor:
            cursor.executemany(f"insert into profile values ({marks})", profiles[1:])
        session.execute("grant select on profile to reader")
    Secret(value=SecretStr(f"{url}&application_name={SECRETS['secretblock']}")).save("crm-url", overwrite=True)
    monkeypatch.setenv("CALLS_URL", f"postgresql://reader:{SECRETS['environment']}@/postgres?host={postgres['host']}")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: True, PREFECT_LOGGING_LEVEL: "DEBUG"}):
        levels = {name: logging.getLogger(name).level for name in ("prefect", "prefect.flow_runs", "prefect.task_runs")}
        for name in levels:
            logging.getLogger(name).setLevel(logging.DEBUG)
        yield Company(tmp_path, monkeypatch)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


class Processes:
    """Looks at the command lines of all processes while the body runs."""

    def __enter__(self) -> Processes:
        self.found: set[str] = set()
        self.looks, self._stop = 0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.2):
            self.found |= Search(EVERYTHING).in_text(process_texts())
            self.looks += 1


def prefect_database() -> Path:
    return Path(str(PREFECT_SERVER_DATABASE_CONNECTION_URL.value()).removeprefix("sqlite+aiosqlite:///"))


def wait_for_logs(database: Path, text: bytes) -> None:
    """Until the server has written a line of the run's log: then those before it are there, too."""
    APILogHandler().flush()
    deadline = time.monotonic() + 60
    while text not in b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*")):
        assert time.monotonic() < deadline, "the log has not reached Prefect's database"
        time.sleep(0.5)


def assert_nothing_leaked(company: Company, printed: str, logged: str) -> None:
    """Search all that was written; landings, `raw` and `quarantine` may hold personal values, deliveries some."""
    everything, secrets = Search(EVERYTHING), Search(SECRETS)
    database = prefect_database()
    wait_for_logs(database, b"public.nowhere")
    found: dict[str, Any] = {"printed": everything.in_text(printed), "logged": everything.in_text(logged)}
    found |= {f"error {type(error).__name__}": everything.in_error(error) for error in company.errors}
    found["Prefect's database"] = set().union(
        *(everything.in_bytes(path.read_bytes()) for path in database.parent.glob(f"{database.name}*"))
    )
    found |= everything.in_folder(company.home, but=["landing", "deliveries"])
    found |= everything.in_folder(company.folder / "scratch")
    found |= {f"landing {name}": hit for name, hit in secrets.in_folder(company.home / "landing").items()}
    withheld = Search({name: mark for name, mark in EVERYTHING.items() if name not in PERMITTED})
    found |= {f"delivery {name}": hit for name, hit in withheld.in_folder(company.home / "deliveries").items()}
    manifests = (company.home / "deliveries").rglob("manifest.json")
    found |= {f"manifest {path}": everything.in_file(path) for path in manifests}
    assert {place: names for place, names in found.items() if names} == {}


@pytest.mark.whole
def test_a_day_and_its_failures_leave_no_trace_of_a_secret_or_a_person(
    company: Company, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with Processes() as processes, caplog.at_level(logging.DEBUG, "regulars"):
        daily_loyalty_merge(DAYS[0], fail_on_block=False)
        company.land_profile(**{"from": "crm", "table": "public.nowhere"})
        company.land_profile(**{"from": "calls", "table": "public.profile"})
        company.land_profile(**{"from": "crm", "query": "select email::int::text as user_id, * from profile"})
        company.land_profile(**{"from": "crm", "query": "select complain(email)::text as x, * from profile"})
        cast = {"full_name": "cast(cast(email as integer) as varchar)"}
        company.land_profile(**{"from": "crm", "table": "public.profile", "columns": cast})
        headless = company.folder / "headless.csv"
        headless.write_text("\n".join(",".join(PERSONAL.values()) for _ in range(3)))
        company.land_profile(**{"from": "files", "path": str(headless)})
        company.write(user_profile={"from": "crm", "table": "public.profile", "source_where": "false"})
        company.attempt(lambda: ingest(DAYS[1], tables=["user_profile"]), GuardBlocked)
        company.write()
    printed = capfd.readouterr()
    assert processes.looks > 5
    assert processes.found == set()
    assert list((company.home / "deliveries").rglob("full.csv")), (
        "something was delivered, so there was something to find"
    )
    assert Search(PERSONAL).in_folder(company.home / "landing"), "and personal values were there all the time"
    assert_nothing_leaked(company, printed.out + printed.err, caplog.text)


def project_with_a_careless_model(folder: Path) -> Path:
    """A copy of the dbt project in which a mart reads a personal column straight from raw and casts it."""
    project = folder / "project"
    shutil.copytree(PROJECT_DIR / "dbt" / "warehouse", project, ignore=shutil.ignore_patterns("target", "logs"))
    careless = "select user_id, cast(email as integer) as mail from raw.user_profile"
    (project / "models" / "marts" / "loyalty" / "careless.sql").write_text(careless)
    return project


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_gates_models_and_deliveries_that_fail_leave_no_trace_either(
    company: Company, echo: Any, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    from expectations.raw import user_profile
    from regulars.quality import rules

    build = user_profile.build

    def careless(context: Any) -> Any:
        suite = build(context)
        suite.add_expectation(rules.rows_hold("no_names", "Nobody has a name.", "full_name is null", remedy="ask"))
        suite.add_expectation(
            rules.rows_hold("numbers", "Addresses count.", "cast(email as integer) > 0", remedy="ask")
        )
        return suite

    with Processes() as processes, caplog.at_level(logging.DEBUG, "regulars"):
        daily_loyalty_merge(DAYS[0], fail_on_block=False)
        company.land_profile(**{"from": "crm", "table": "public.nowhere"})
        monkeypatch.setattr(user_profile, "build", careless)
        company.attempt(lambda: ingest(DAYS[0], tables=["user_profile"]), GateBlocked)
        monkeypatch.setattr(user_profile, "build", build)
        company.set("REGULARS_DELIVERY_URL", "s3://bucket/deliveries")
        company.set("REGULARS_S3__ENDPOINT", echo.url)
        company.attempt(lambda: segment(DAYS[0], fail_on_block=False))
        assert echo.requests
        monkeypatch.delenv("REGULARS_DELIVERY_URL")
        careless_project = project_with_a_careless_model(company.folder)
        monkeypatch.setattr(Settings, "dbt_project_dir", property(lambda _: careless_project))
        company.attempt(lambda: transform(DAYS[0], fail_on_block=False), BuildError)
    printed = capfd.readouterr()
    said = "\n".join(str(error) for error in company.errors)
    assert "no_names" in said, "the gate failed by its own rule"
    assert "numbers" in said, "and by one that cannot be computed"
    assert "careless" in said, "and the model by its own"
    assert processes.found == set()
    assert list((company.home / "dbt").glob("*/*/run")), "dbt's own folders are there to be searched"
    assert_nothing_leaked(company, printed.out + printed.err, caplog.text)

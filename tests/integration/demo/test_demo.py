"""What a newcomer does: the demo, and the commands that the README shows afterwards."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from regulars.postgres.server import stop_server
from regulars.settings import PROJECT_DIR

pytestmark = pytest.mark.timeout(900)
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo")
    yield folder
    stop_server(folder)


@pytest.fixture(scope="module")
def regulars(home: Path) -> Run:
    """Run a command of the demo's home, as a person would."""

    def run(*arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "REGULARS_HOME": str(home), "COLUMNS": "200"}
        command = [str(Path(sys.executable).with_name("regulars")), *arguments]
        ended = subprocess.run(
            command, cwd=PROJECT_DIR, env=environment, capture_output=True, text=True, timeout=500, check=False
        )
        assert ended.returncode == status, ended.stdout[-3000:] + ended.stderr[-3000:]
        return ended

    return run


@pytest.fixture(scope="module")
def played(regulars: Run) -> str:
    return regulars("demo").stdout


def test_every_planted_fault_is_caught(played: str) -> None:
    found = re.search(r"days run 5, planted (\d+), caught (\d+)", played)
    assert found, played[-2000:]
    assert found[1] == found[2]
    assert int(found[1]) >= 30
    assert "blocked, as it should be" in played


def test_the_readme_shows_what_it_prints(played: str) -> None:
    shown = re.search(r"^Rows that count now.*?^days run [^\n]*", (PROJECT_DIR / "README.md").read_text(), re.M | re.S)
    assert shown
    lines = [line for line in shown[0].splitlines() if line and not line.startswith(DRAWN)]
    assert len(lines) > 40
    assert [line for line in lines if line not in played.splitlines()] == []


DRAWN = "highly_engaged"  # how many of them are held out depends on the key of the home


def test_what_it_says_to_open_is_there(played: str, home: Path) -> None:
    assert (home / "data_docs" / "index.html").exists()
    assert json.loads((home / "logs" / "ingestion.log").read_text().splitlines()[0])["stage"] == "land"
    assert len(list((home / "deliveries").rglob("manifest.json"))) >= 10


def test_a_second_call_only_reports(played: str, regulars: Run) -> None:
    again = regulars("demo").stdout
    assert "all days were played before" in again
    assert re.search(r"days run 5, planted (\d+), caught \1\b", again)


def test_a_query_as_table_csv_and_json(played: str, regulars: Run) -> None:
    query = "select engagement_band, count(*) as users from marts.loyalty_master group by all order by 1"
    assert "engagement_band" in regulars("sql", query).stdout
    lines = regulars("sql", query, "--csv").stdout.splitlines()
    assert lines[0] == "engagement_band,users"
    rows = json.loads(regulars("sql", query, "--json").stdout)
    assert {row["engagement_band"] for row in rows} >= {"high", "low", "medium"}
    assert "does not exist" in regulars("sql", "select * from marts.nothing", status=2).stderr


def test_the_report_on_uplift_says_what_it_cannot_tell_yet(played: str, regulars: Run) -> None:
    report = "docs/reports/segment_uplift.sql"
    rows = json.loads(regulars("sql", "--file", report, "--json").stdout)
    assert {(row["segment"], row["outcome"]) for row in rows} >= {
        ("highly_engaged", "spend"),
        ("low_engagement", "active"),
    }
    assert {row["status"] for row in rows} == {"cannot tell yet"}
    reasons = {row["segment"]: row["reason"] for row in rows}
    assert reasons == {"highly_engaged": "no window of 28 days is over", "low_engagement": "nobody is held out"}
    assert all(int(row["waiting_members"]) > 100 for row in rows)
    assert "cannot be read" in regulars("sql", "--file", "nowhere.sql", status=2).stderr
    assert "give a query" in regulars("sql", status=2).stderr


def test_status_tells_runs_freshness_quarantine_and_checks(played: str, regulars: Run) -> None:
    text = regulars("status").stdout
    assert "daily-loyalty-merge" in text and "user_profile" in text
    assert set(json.loads(regulars("status", "--json").stdout)) == {
        "Last runs",
        "Freshness",
        "Quarantined rows",
        "Failed checks",
    }


def test_quarantine_lists_places_and_reasons_without_contents(played: str, regulars: Run) -> None:
    rows = json.loads(regulars("quarantine", "list", "--json").stdout)
    assert {row["rule"] for row in rows} >= {"type", "required", "enum", "min", "max"}
    assert all(row["source"] and row["record"] > 0 and row["reason"] for row in rows)
    assert (
        "nothing changed"
        in regulars("quarantine", "replay", "--table", rows[0]["table"], "--as-of", rows[0]["as_of"]).stdout
    )


def test_a_plan_reads_nothing_and_says_what_would_happen(played: str, regulars: Run, home: Path) -> None:
    before = sorted(path for path in (home / "landing").rglob("*"))
    text = regulars("plan", "daily-loyalty-merge", "--as-of", "2026-01-09").stdout
    assert "landed already" in text and "highly_engaged" in text
    steps = json.loads(regulars("plan", "ingest", "--as-of", "2026-01-10", "--json").stdout)
    landings = [step for step in steps if step["stage"] == "land"]
    assert len([step for step in landings if "from" in step]) == 13
    assert len([step for step in landings if "not required" in step["what"]]) == 7, (
        "shop and sheet are not there in this demo"
    )
    assert sorted(path for path in (home / "landing").rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "no-such-flow"), "there is no flow"),
        (("run", "ingest", "--set", "colour=red"), "has no such parameter"),
        (("run", "ingest", "--set", "refresh=perhaps"), "refresh"),
        (("run", "ingest", "--as-of", "yesterday"), "yesterday"),
        (("run", "ingest", "--set", "tables=nothing"), "has no table nothing"),
    ],
)
def test_wrong_usage_ends_with_status_2_and_says_why(regulars: Run, arguments: tuple[str, ...], said: str) -> None:
    assert said in regulars(*arguments, status=2).stderr


def test_the_python_of_the_readme_runs(played: str, home: Path) -> None:
    block = re.search(r"```python\n(.*?)```", (PROJECT_DIR / "README.md").read_text(), re.DOTALL)
    assert block
    environment = {
        **os.environ, "REGULARS_HOME": str(home), "PREFECT_HOME": str(home / "prefect"), "PREFECT_LOGGING_LEVEL": "ERROR",
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-c", block[1]],
        cwd=PROJECT_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "2026-01-09 [('highly_engaged'," in ended.stdout
    assert "engagement_band" in ended.stdout


@pytest.mark.parametrize("command", ["validate", "status", "quarantine list"])
def test_the_commands_of_the_readme_are_those_that_run_here(command: str) -> None:
    assert f"regulars {command}" in (PROJECT_DIR / "README.md").read_text()


def test_sample_data_for_people_who_want_files(regulars: Run, tmp_path: Path) -> None:
    made = regulars(
        "sample", "--users", "500", "--days", "1", "--seed", "3", "--out", str(tmp_path / "sample"), "--load-postgres"
    ).stdout
    assert "user_profile" in made and "embedded PostgreSQL holds" in made
    assert (tmp_path / "sample" / "user_profile" / "2026-01-05.csv").exists()
    assert json.loads((tmp_path / "sample" / "planted.json").read_text())

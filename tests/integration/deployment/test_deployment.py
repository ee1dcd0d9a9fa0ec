"""`prefect.yaml` on a real Prefect server with a real worker: deploy everything, run the daily merge, look at the tables."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
import yaml

from regulars.sample.spec import SampleSpec
from regulars.sample.tables import TABLES
from regulars.sample.write import write_sample
from regulars.settings import PROJECT_DIR
from regulars.warehouse.duckdb_publish import read_published

pytestmark = pytest.mark.timeout(900)
DAY = date(2026, 1, 5)
PREFECT = str(Path(sys.executable).with_name("prefect"))


@contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """A process group that is gone afterwards."""
    with open(log, "w") as output:
        process = subprocess.Popen(
            command, env=environment, cwd=PROJECT_DIR, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server of its own, and the settings of a small world of files."""
    folder = tmp_path_factory.mktemp("deployment")
    write_sample(SampleSpec(users=500, days=1, seed=3, start=DAY), folder / "sample")
    sources = {
        "connections": {"files": {"kind": "files", "path": str(folder / "sample")}},
        "tables": {table: {"from": "files", "path": f"{table}/{{as_of}}.csv"} for table in TABLES},
    }
    (folder / "sources.yml").write_text(yaml.safe_dump(sources))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    values = {
        **os.environ,
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "REGULARS_HOME": str(folder / "home"),
        "REGULARS_SOURCES": str(folder / "sources.yml"),
        "REGULARS_PSEUDONYM_KEY": "test-key",
    }
    server = [PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with running(server, values, folder / "server.log"):
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2).close()
                break
            except OSError:
                assert time.monotonic() < deadline, (folder / "server.log").read_text()[-2000:]
                time.sleep(1)
        yield values


def prefect(environment: dict[str, str], *arguments: str) -> str:
    ended = subprocess.run(
        [PREFECT, "--no-prompt", *arguments],
        env=environment,
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    return ended.stdout


def ask(environment: dict[str, str], path: str) -> list[dict[str, object]]:
    request = urllib.request.Request(
        f"{environment['PREFECT_API_URL']}/{path}",
        data=b"{}",
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: list[dict[str, object]] = json.load(answer)
        return found


def test_deploy_and_run(environment: dict[str, str], tmp_path: Path) -> None:
    prefect(environment, "work-pool", "create", "laptop", "--type", "process")
    prefect(environment, "variable", "set", "regulars_timezone", "Europe/Berlin")
    names = ("daily", "weekly", "engagement", "ingest", "transform", "segment")
    prefect(environment, "deploy", *(part for name in names for part in ("--name", name)))

    deployments = {str(found["name"]): found for found in ask(environment, "deployments/filter")}
    assert set(deployments) == set(names)
    daily = deployments["daily"]
    (schedule,) = daily["schedules"]
    assert schedule["schedule"]["cron"] == "0 6 * * *"
    assert schedule["schedule"]["timezone"] == "Europe/Berlin"
    (monday,) = deployments["weekly"]["schedules"]
    assert monday["schedule"]["cron"] == "0 7 * * 1"
    assert daily["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    for deployment in deployments.values():
        assert deployment["description"] and "regulars" in deployment["tags"]
        properties = deployment["parameter_openapi_schema"]["properties"]
        assert "date" in json.dumps(properties["as_of"]), "the form of the UI knows the type"

    worker = [PREFECT, "worker", "start", "--pool", "laptop", "--type", "process"]
    with running(worker, environment, tmp_path / "worker.log"):
        prefect(
            environment, "deployment", "run", "daily-loyalty-merge/daily", "--param", f"as_of={DAY.isoformat()}",
            "--watch", "--watch-interval", "2", "--watch-timeout", "300",
        )  # fmt: skip

    runs = [found for found in ask(environment, "flow_runs/filter") if found["state_type"] == "COMPLETED"]
    assert [found["name"] for found in runs] == [f"daily-loyalty-merge {DAY}"]
    tasks = [str(found["name"]) for found in ask(environment, "task_runs/filter")]
    assert sum(name.startswith("land ") for name in tasks) == 13
    assert sum(name.startswith("load ") for name in tasks) == 13
    keys = {found["key"] for found in ask(environment, "artifacts/latest/filter")}
    assert keys >= {"checks-raw", "checks-loyalty", "data-docs", "daily-loyalty-merge", "daily-loyalty-merge-progress"}

    with read_published(Path(environment["REGULARS_HOME"]) / "published.duckdb") as reader:
        ((users, day),) = reader.query("select count(*), max(snapshot_date) from marts.loyalty_master")
        assert users > 400
        assert day == DAY
        assert reader.query("select count(distinct segment) from ops.deliveries") == [(2,)]

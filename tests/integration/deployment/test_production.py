"""The production set of `prefect.yaml` on a real Prefect server: what is stored there, and that it holds no secret."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values
from prefect.events.schemas.automations import AutomationCore

from regulars.contracts import read_contracts
from regulars.settings import PROJECT_DIR, Settings
from regulars.sources.config import read_sources
from tests.integration.deployment.test_deployment import ask, environment, prefect  # noqa: F401

pytestmark = pytest.mark.timeout(900)
TARGETS = PROJECT_DIR / "deployments" / "targets"
CANARY = "canary-pseudonym-key-4711"


@pytest.mark.parametrize("target", ["dev", "staging", "production"])
def test_a_target_is_a_file_of_settings(target: str, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    values = dotenv_values(TARGETS / f"{target}.env")
    known = set(Settings.model_fields) | {"target", "checkout"}
    assert {name.removeprefix("REGULARS_").split("__")[0].lower() for name in values} <= known
    assert not [name for name in values if re.search("KEY|PASSWORD|TOKEN|SECRET", name)]
    for name, value in values.items():
        monkeypatch.setenv(name, value or "")
    found = Settings(_env_file=None, home=settings.home, pseudonym_key="test-key")
    assert found.warehouse == "snowflake"
    assert values["REGULARS_TARGET"] == target
    assert (
        found.snowflake.database
        == {"dev": "REGULARS_DEV", "staging": "REGULARS_STAGING", "production": "REGULARS"}[target]
    )
    assert found.snowflake.readers == {f"{found.snowflake.database}_READER": ("marts", "segments", "ops")}
    assert found.landing_root.startswith("s3://") and target in found.landing_root


def test_targets_share_nothing_but_block_names() -> None:
    values = {path.stem: dotenv_values(path) for path in TARGETS.glob("*.env")}
    assert set(values) == {"dev", "staging", "production"}
    for name in (
        "REGULARS_LANDING_URL",
        "REGULARS_DELIVERY_URL",
        "REGULARS_SNOWFLAKE__DATABASE",
        "REGULARS_SNOWFLAKE__ROLE",
        "REGULARS_SNOWFLAKE__READERS",
    ):
        assert len({found[name] for found in values.values()}) == 3, name


def test_sources_of_production_name_every_contract_and_no_address() -> None:
    contracts = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")
    path = PROJECT_DIR / "deployments" / "production" / "sources.yml"
    sources = read_sources(path, contracts, lambda kind, name: f"postgresql://{name}.example.com/db")
    assert set(sources.tables) == set(contracts)
    assert "://" not in path.read_text()


def test_alerts_are_automations() -> None:
    document = yaml.safe_load((PROJECT_DIR / "deployments" / "automations.yml").read_text())
    found = [AutomationCore.model_validate(entry) for entry in document["automations"]]
    assert [one.name for one in found] == ["regulars-run-failed", "regulars-no-day-merged", "regulars-data-late"]


@pytest.mark.whole
def test_the_set_is_deployed_without_a_secret(environment: dict[str, str], tmp_path: Path) -> None:  # noqa: F811
    target = {name: value or "" for name, value in dotenv_values(TARGETS / "staging.env").items()}
    shell = {**environment, **target, "REGULARS_CHECKOUT": str(PROJECT_DIR), "THE_KEY": CANARY}
    template = PROJECT_DIR / "deployments" / "production" / "work-pool.json"
    prefect(shell, "work-pool", "create", "staging", "--type", "process", "--base-job-template", str(template))
    prefect(shell, "variable", "set", "regulars_timezone", "Europe/Berlin", "--overwrite")
    run_blocks(shell, "--secret", "regulars-pseudonym-key=THE_KEY")
    prefect(shell, "deploy", "--name", "production-*")

    deployments = {
        str(one["name"]): one for one in ask(shell, "deployments/filter") if "production-" in str(one["name"])
    }
    assert set(deployments) == {
        f"production-{name}" for name in ("daily", "weekly", "engagement", "ingest", "transform", "segment")
    }
    assert [one["cron"] for one in schedules(deployments["production-daily"])] == ["0 6 * * *"]
    assert [one["timezone"] for one in schedules(deployments["production-daily"])] == ["Europe/Berlin"]
    for deployment in deployments.values():
        stored = json.dumps(deployment)
        assert CANARY not in stored
        assert deployment["work_pool_name"] == "staging"
        assert "staging" in deployment["tags"]
        assert deployment["concurrency_options"]["collision_strategy"] == "ENQUEUE"  # type: ignore[index, call-overload]
        assert "set_working_directory" in json.dumps(deployment["pull_steps"])
        variables = deployment["job_variables"]["env"]  # type: ignore[index, call-overload]
        assert variables["REGULARS_SNOWFLAKE__DATABASE"] == "REGULARS_STAGING"
        assert variables["REGULARS_LANDING_URL"] == target["REGULARS_LANDING_URL"]
        assert variables["REGULARS_TIMEZONE"] == "Europe/Berlin"
        assert not [value for value in variables.values() if "{{" in value], "every name was filled in"
        assert set(variables) <= {*target, "REGULARS_TIMEZONE"}


def schedules(deployment: dict[str, object]) -> list[dict[str, str]]:
    return [one["schedule"] for one in deployment["schedules"]]  # type: ignore[attr-defined]


def run_blocks(shell: dict[str, str], *arguments: str) -> None:
    """deployments/blocks.py against the server."""
    command = [sys.executable, "deployments/blocks.py", *arguments]
    given = {**os.environ, **shell}
    ended = subprocess.run(command, env=given, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert CANARY not in ended.stdout + ended.stderr

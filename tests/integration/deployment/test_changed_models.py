"""`deployments/ci/build_changed.sh`, tried on DuckDB: a change of one model builds it and its children, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import yaml

from regulars.settings import PROJECT_DIR
from tests.integration.dbt.conftest import new_warehouse  # noqa: F401
from tests.integration.dbt.dbt_calls import run_dbt
from tests.integration.dbt.landings import Warehouse
from tests.integration.dbt.worlds import World

pytestmark = [pytest.mark.whole, pytest.mark.timeout(600)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project as a git checkout of its own, with one commit."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for part in ("dbt", "deployments"):
        shutil.copytree(PROJECT_DIR / part, folder / part, ignore=shutil.ignore_patterns("target", "logs"))
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "state")


def build_changed(checkout: Path, production: Path, world: World, name: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "REGULARS_AS_OF": str(world.days[-1]),
        "REGULARS_CI_ENGINE": "duckdb", "REGULARS_CI_PRODUCTION": production.stem, "REGULARS_CI_PRODUCTION_PATH": str(production),
        "REGULARS_CI_DATABASE": str(checkout.parent / name),
    }  # fmt: skip
    command = [checkout / "deployments" / "ci" / "build_changed.sh", "HEAD~1"]
    return subprocess.run(command, cwd=checkout, env=environment, check=False, capture_output=True, text=True)


def made(path: Path) -> set[str]:
    with duckdb.connect(str(path), read_only=True) as engine:
        found = engine.execute(
            "select table_name from information_schema.tables where table_schema not in ('raw', 'ops') "
            "and table_catalog = current_database()"
        ).fetchall()
    return {name for (name,) in found}


def test_only_a_changed_model_and_its_children_are_built(
    checkout: Path,
    new_warehouse: Callable[[], Warehouse],  # noqa: F811
) -> None:
    world, production = World(3), new_warehouse()
    production.load(*world.batches)
    run_dbt(production.path, world.days[-1])
    before = production.rows("select count(*) as n from marts.feature_adoption_by_region")
    production.close()

    model = next((checkout / "dbt").rglob("feature_adoption_by_region.sql"))
    model.write_text(model.read_text() + "\n-- a change\n")
    commit(checkout)
    done = build_changed(checkout, production.path, world, "one_ci_1")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert made(checkout.parent / "one_ci_1.duckdb") == {"feature_adoption_by_region"}
    with duckdb.connect(str(checkout.parent / "one_ci_1.duckdb"), config={}) as engine:
        rows = engine.execute("select count(*) from marts.feature_adoption_by_region").fetchall()
    assert rows == [(before[0]["n"],)], "built from production's tables"

    model = next((checkout / "dbt").rglob("highly_engaged.sql"))
    model.write_text(model.read_text() + "\n-- another change\n")
    commit(checkout)
    done = build_changed(checkout, production.path, world, "two_ci_2")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert made(checkout.parent / "two_ci_2.duckdb") == {
        "highly_engaged", "membership", "segment_outcomes", "segment_uplift",
    }  # fmt: skip
    assert git(checkout, "worktree", "list").count("\n") == 1, "nothing is left"

    (checkout / "README").write_text("no model")
    commit(checkout)
    done = build_changed(checkout, production.path, world, "none_ci_3")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert made(checkout.parent / "none_ci_3.duckdb") == set()


def test_the_workflow_calls_what_is_there() -> None:
    workflow = yaml.safe_load((PROJECT_DIR / "deployments" / "ci" / "github.yml").read_text())
    steps = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert (PROJECT_DIR / "deployments" / "ci" / "build_changed.sh").stat().st_mode & 0o100
    operations = {step.split()[2] for step in steps if step.startswith("dbt run-operation")}
    macros = PROJECT_DIR / "dbt" / "warehouse" / "macros"
    assert operations == {"ci_database"}
    assert all(f"macro {operation}(" in (macros / "ci" / f"{operation}.sql").read_text() for operation in operations)

"""Calls of the dbt project and what came of them; who runs dbt is the caller's choice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from regulars.engine_errors import without_values
from regulars.errors import BuildError
from regulars.run import Run
from regulars.run_days import BuildDays
from regulars.settings import Settings

FAILED = {"error", "fail", "runtime error"}


@dataclass(frozen=True)
class NodeResult:
    """One dbt node: `status` is success, pass, warn, fail, error or skipped."""

    node: str
    kind: str
    status: str
    seconds: float
    failures: int
    message: str


@dataclass(frozen=True)
class Built:
    """One dbt run over `days`."""

    days: BuildDays
    nodes: tuple[NodeResult, ...]

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        return tuple(node for node in self.nodes if node.status in FAILED)

    def count(self, kind: str) -> int:
        return sum(node.kind == kind for node in self.nodes)

    def check_rows(self, run: Run, checked_at: datetime, layer: str = "marts") -> list[dict[str, Any]]:
        """Rows of `ops.dq_check_logs` for the data tests of this run."""
        return [
            {
                "run_id": run.run_id, "kind": "dbt", "layer": layer, "table_name": "", "check_name": node.node,
                "severity": "warn" if node.status == "warn" else "block",
                "status": {"pass": "passed", "skipped": "skipped", "runtime error": "error", "error": "error"}.get(node.status, "failed"),
                "observed_value": str(node.failures), "expected": "0", "unexpected_count": node.failures,
                "as_of": run.as_of, "checked_at": checked_at, "details": node.message,
            }
            for node in self.nodes
            if node.kind == "test"
        ]  # fmt: skip


def build_environment(settings: Settings, days: BuildDays) -> dict[str, str]:
    """Variables that tell the models which days to build, and how; as `--vars` they would make dbt parse everything again."""
    return {
        "REGULARS_AS_OF": days.as_of.isoformat(),
        "REGULARS_FIRST_DAY": days.first_day.isoformat(),
        "REGULARS_FISCAL_YEAR_START_MONTH": str(settings.fiscal_year_start_month),
    }


def build_arguments(
    settings: Settings,
    *,
    target_path: Path,
    population: str = "",
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    full_refresh: bool = False,
    with_tests: bool = True,
) -> list[str]:
    """Arguments of one `dbt build` (or `dbt run` without tests)."""
    project = str(settings.dbt_project_dir)
    variables = json.dumps({"population": population, "timezone": settings.timezone})
    arguments = ["build", "--exclude-resource-type", "unit_test"] if with_tests else ["run"]
    arguments += [
        *call_arguments(settings, Path(project), target_path),
        "--target",
        settings.warehouse,
        "--vars",
        variables,
    ]
    # A model that is left out as it is keeps its tests: they go by their own names and places.
    arguments += ["--indirect-selection", "empty"]
    if not settings.dbt_node_tasks:  # prefect-dbt reads them; nobody else does, and they take a second a run
        arguments += ["--no-write-json"]
    if parsed_project(settings).exists():
        arguments += ["--partial-parse-file-path", str(parsed_project(settings))]
    if select:
        arguments += ["--select", *select]
    if exclude:
        arguments += ["--exclude", *exclude]
    return [*arguments, "--full-refresh"] if full_refresh else arguments


def seed_arguments(settings: Settings, target_path: Path, seed: str) -> list[str]:
    """Arguments of a `dbt seed` of one seed of the warehouse's project."""
    places = call_arguments(settings, settings.dbt_project_dir, target_path)
    return ["seed", *places, "--target", settings.warehouse, "--select", seed]


def call_arguments(settings: Settings, project: Path, target_path: Path) -> list[str]:
    """Arguments of any call of a project of ours."""
    places = {
        "--project-dir": project,
        "--profiles-dir": project,
        "--target-path": target_path,
        "--log-path": target_path,
    }
    return [
        *(part for name, path in places.items() for part in (name, str(path))),
        "--threads", str(settings.threads),
        "--log-level-file", "none",  # dbt's log repeats values that the engine names in its errors
        "--no-use-colors", "--no-send-anonymous-usage-stats", "--no-version-check",
    ]  # fmt: skip


def parsed_project(settings: Settings) -> Path:
    """dbt's parse of the project, handed from run to run; dbt itself finds out whether it still holds."""
    return settings.home_dir / "dbt" / "partial_parse.msgpack"


def keep_parsed_project(settings: Settings, target_path: Path) -> None:
    """Let later runs start from the parse of this one; each run has a target folder of its own."""
    parsed = target_path / "partial_parse.msgpack"
    if parsed.exists():
        draft = parsed_project(settings).with_name(".partial_parse.draft")  # one name: a killed run's is written over
        shutil.copyfile(parsed, draft)
        draft.replace(parsed_project(settings))


def read_results(outcome: Any, days: BuildDays) -> Built:
    """What a finished dbt run says; `outcome` is dbt's own (`dbtRunnerResult`). Raises BuildError where dbt gave up before it ran a model."""
    results = getattr(outcome.result, "results", None)
    if results is None:
        raise _stopped(str(outcome.exception or "it does not say why"))
    return Built(days, tuple(_node(result) for result in results))


@contextmanager
def stopped_in_words() -> Iterator[None]:
    """Let what prefect-dbt raises where dbt was refused a login, or gave up by itself, out of the body as BuildError."""
    try:
        yield
    except ValueError as error:
        raise _stopped(str(error).partition("': ")[2] or str(error)) from None  # the command, then what dbt said


def _stopped(said: str) -> BuildError:
    return BuildError(
        f"dbt stopped before it ran a model: {without_values(said)}",
        remedy="run dbt build by hand in the folder of the project: it says more, and may repeat values of rows",
    )


def raise_if_failed(built: Built) -> None:
    """Raises BuildError that names every failed node, what it said and what to do."""
    if built.failed:
        listed = "\n".join(f"  {node.node}: {node.status}, {node.message.strip()}" for node in built.failed[:10])
        raise BuildError(
            f"dbt: {len(built.failed)} of {len(built.nodes)} nodes failed for {built.days.first_day}..{built.days.as_of}\n{listed}",
            remedy="what is published stays as it was; correct the model or the data, then run again",
        )


def _node(result: Any) -> NodeResult:
    kind, _, name = str(result.node.unique_id).split(".", 2)
    return NodeResult(
        node=name.split(".")[0],
        kind=kind,
        status=str(result.status),
        seconds=float(result.execution_time or 0),
        failures=int(result.failures or 0),
        message=without_values(str(result.message or "")),
    )

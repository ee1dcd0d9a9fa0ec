"""What a person does with a draft, by script: answer its questions, and take it over into a project that lands and stages."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
from dbt.cli.main import dbtRunner

from flows.__main__ import app
from regulars.contracts import read_contracts
from regulars.discovery.questions import open_questions
from regulars.landing import land
from regulars.manifest import Manifest
from regulars.own_addresses import with_own_addresses
from regulars.run import Run
from regulars.settings import PROJECT_DIR, Settings
from regulars.sources.config import read_sources
from regulars.warehouse import open_warehouse

PROJECT = PROJECT_DIR / "dbt" / "warehouse"
CLOCK = datetime(2030, 1, 1)


def run_command(*words: str | Path) -> tuple[int, str]:
    """Exit status and what was printed of a `regulars` command, in this process."""
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, [str(word) for word in words])
    said = f"{done.output}{done.exception if done.exception and not isinstance(done.exception, SystemExit) else ''}"
    return done.exit_code, said


def answer(out: Path, decisions: Mapping[str, str] | None = None) -> None:
    """Take every TODO away; `decisions` replace a line, found by a pattern, before that."""
    for file in (file for ending in ("*.yml", "*.sql") for file in out.rglob(ending)):
        text = file.read_text()
        for pattern, decided in (decisions or {}).items():
            text = re.sub(pattern, decided, text)
        file.write_text(text)
    for question in open_questions([out]):
        lines = question.file.read_text().splitlines()
        lines[question.line - 1] = re.sub(r"(.*?)\s*(#|--) TODO(?!.*(#|--) TODO).*", r"\1", lines[question.line - 1])
        question.file.write_text("\n".join(lines) + "\n")


@dataclass
class TakenOver:
    """A draft in use: its contracts and sources, landings, and a dbt project of its staging models alone."""

    out: Path
    group: str
    folder: Path
    settings: Settings

    def land(self, *days: date, only: Callable[[str], bool] = lambda table: True) -> dict[tuple[str, date], Manifest]:
        """Land and load the days; stage them, and keep the file for `rows`."""
        contracts = read_contracts(self.out / "staging")
        sources = with_own_addresses(read_sources(self.out / "sources.yml", contracts), self.settings)
        landed = {}
        with open_warehouse(self.settings) as warehouse:
            warehouse.prepare(contracts)
            for day in days:
                run = Run("run", "ingest", day, CLOCK)
                for table in filter(only, sources.tables):
                    manifest = land(contracts[table], sources, self.settings, run).manifest
                    warehouse.load(contracts[table], [manifest], run, CLOCK)
                    landed[table, day] = manifest
        return landed

    def stage(self, as_of: date) -> None:
        project = self.folder / "project"
        shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
        for folder in ("intermediate", "marts", "segments", "staging", "exposures.yml", "../tests"):
            path = (project / "models" / folder).resolve()
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.copytree(self.out / "staging" / self.group, project / "models" / "staging" / self.group)
        os.environ["REGULARS_WAREHOUSE_PATH"] = str(self.settings.warehouse_path)
        places = ["--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(self.folder / "target"),
                  "--log-path", str(self.folder / "target"), "--log-level-file", "none", "--quiet"]  # fmt: skip
        done = dbtRunner().invoke(["run", *places, "--vars", f"as_of: {as_of}", "--select", "path:models/staging"])
        assert done.success, [str(one.message) for one in done.result or ()] or done.exception

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            return connection.execute(query).fetchall()

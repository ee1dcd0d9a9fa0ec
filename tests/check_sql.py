"""`make check` for SQL: dbt compiles the project on an empty warehouse, and sqlfluff reads every compiled model as Snowflake.

Exit status 1 says what is wrong. Nothing is left in the checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from regulars.contracts import read_contracts
from regulars.settings import PROJECT_DIR, Settings
from regulars.warehouse import open_warehouse

PROJECT = PROJECT_DIR / "dbt" / "warehouse"


def main() -> int:
    """Compile, then lint."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(_env_file=None, home=Path(scratch), pseudonym_key="check")
        with open_warehouse(settings) as warehouse:
            warehouse.prepare(read_contracts(PROJECT / "models" / "staging"))
            environment = {**os.environ, **warehouse.dbt_environment(), "DO_NOT_TRACK": "1"}
        places = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", scratch, "--log-path", scratch]
        dbt = [
            program("dbt"),
            "--quiet",
            "compile",
            *places,
            "--vars",
            "as_of: 2026-01-05",
            "--exclude",
            "resource_type:unit_test",
        ]
        if subprocess.run(dbt, env=environment, check=False).returncode:
            return 1
        models = Path(scratch) / "compiled" / "regulars" / "models"
        for folder in models.rglob("*.yml"):  # tests on columns are generated SQL
            shutil.rmtree(folder, ignore_errors=True)
        lint = [
            program("sqlfluff"),
            "lint",
            "--config",
            PROJECT_DIR / "pyproject.toml",
            "--processes",
            "2",
            "--disable-progress-bar",
            models,
        ]
        return subprocess.run(lint, check=False).returncode


def program(name: str) -> Path:
    return Path(sys.executable).with_name(name)


if __name__ == "__main__":
    sys.exit(main())

"""`make check` for SQL: dbt compiles the project on an empty warehouse of either engine (Snowflake is the emulator), and
sqlfluff reads every model that Snowflake would get.

Exit status 1 says what is wrong. Nothing is left in the checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from regulars.contracts import read_contracts
from regulars.settings import PROJECT_DIR, Settings
from regulars.snowflake_settings import SnowflakeSettings
from regulars.warehouse import open_warehouse

warnings.simplefilter("ignore")  # the connector warns of versions of packages that it does not use
sys.path.insert(0, str(PROJECT_DIR / "tests" / "parity"))
from emulator import emulator  # noqa: E402

PROJECT = PROJECT_DIR / "dbt" / "warehouse"


def main() -> int:
    """Compile for both engines, then lint what Snowflake would get."""
    with tempfile.TemporaryDirectory() as scratch, emulator() as access:
        local = Settings(_env_file=None, home=Path(scratch), pseudonym_key="check", threads=1)
        there = SnowflakeSettings.model_validate(
            {"account": "org-emulator", "user": "check", "password": "check", "protocol": "http", "warehouse": "ANY"}
            | {name: access[name] for name in ("host", "port")}
        )
        for settings in (local, local.model_copy(update={"warehouse": "snowflake", "snowflake": there})):
            if status := compiled(settings, Path(scratch) / settings.warehouse):
                return status
        models = Path(scratch) / "snowflake" / "compiled" / "regulars" / "models"
        for folder in models.rglob("*.yml"):  # tests on columns are generated SQL
            shutil.rmtree(folder, ignore_errors=True)
        count = len(list(models.rglob("*.sql")))
        if count == 0:
            print("dbt compiled no model")
            return 1
        config = ["--config", PROJECT_DIR / "pyproject.toml", "--processes", "2", "--disable-progress-bar"]
        status = subprocess.run([program("sqlfluff"), "lint", *config, models], check=False).returncode
        print(f"{count} models compiled for both engines and read as Snowflake's: {'faults' if status else 'clean'}")
        return status


def compiled(settings: Settings, target: Path) -> int:
    """Exit status of dbt's compilation on an empty warehouse."""
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(read_contracts(PROJECT / "models" / "staging"))
        environment = {**os.environ, **warehouse.dbt_environment(), "DO_NOT_TRACK": "1"}
    places = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", target, "--log-path", target]
    asked = ["--target", settings.warehouse, "--vars", "as_of: 2026-01-05", "--exclude", "resource_type:unit_test"]
    command = [program("dbt"), "--quiet", "compile", *places, *asked]
    return subprocess.run(command, env=environment, check=False).returncode


def program(name: str) -> Path:
    return Path(sys.executable).with_name(name)


if __name__ == "__main__":
    sys.exit(main())

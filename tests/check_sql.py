"""`make check` for SQL: dbt parses the project, and sqlfluff lints every model. Exit status 1 names what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "dbt" / "warehouse"


def main() -> int:
    """Run both checks in folders of their own, so that nothing is left in the checkout."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "REGULARS_WAREHOUSE_PATH": f"{scratch}/warehouse.duckdb", "DO_NOT_TRACK": "1"}
        places = [
            "--project-dir",
            PROJECT,
            "--profiles-dir",
            PROJECT,
            "--target-path",
            f"{scratch}/target",
            "--log-path",
            scratch,
        ]
        parse = subprocess.run(
            [Path(sys.executable).with_name("dbt"), "--quiet", "parse", *places, "--vars", "as_of: 2026-01-05", "--show-all-deprecations"],
            env=environment, check=False,
        )  # fmt: skip
    lint = subprocess.run(
        [Path(sys.executable).with_name("sqlfluff"), "lint", "models", "tests"], cwd=PROJECT, check=False
    )
    return 1 if parse.returncode or lint.returncode else 0


if __name__ == "__main__":
    sys.exit(main())

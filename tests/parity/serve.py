"""Run a command against the emulator of Snowflake: python tests/parity/serve.py regulars demo

The command finds the emulator in REGULARS_SNOWFLAKE__*. The emulator keeps everything in memory and ends with the command, so
the home folder is one of its own that is emptied first. It is DuckDB underneath: docs/engines.md says what it proves.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import snowflake.connector
from emulator import emulator

HOME = Path(".regulars/emulated")


def main(command: list[str]) -> int:
    """Exit status of the command."""
    shutil.rmtree(HOME, ignore_errors=True)
    with emulator() as access:
        for database in ("REGULARS", "REGULARS_PUBLISHED"):  # which `regulars snowflake setup` makes on an account
            snowflake.connector.connect(**access, database=database, schema="OPS").close()
        given = {
            "REGULARS_WAREHOUSE": "snowflake", "REGULARS_HOME": str(HOME), "REGULARS_SNOWFLAKE__ACCOUNT": "org-emulator",
            "REGULARS_SNOWFLAKE__USER": "DEMO", "REGULARS_SNOWFLAKE__PASSWORD": "any", "REGULARS_SNOWFLAKE__WAREHOUSE": "DEMO_XSMALL",
            "REGULARS_SNOWFLAKE__HOST": access["host"], "REGULARS_SNOWFLAKE__PORT": str(access["port"]),
            "REGULARS_SNOWFLAKE__PROTOCOL": "http",
        }  # fmt: skip
        print(f"Snowflake is an emulator here (fakesnow, DuckDB underneath) at {access['host']}:{access['port']}")
        return subprocess.run(command, env=os.environ | given, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

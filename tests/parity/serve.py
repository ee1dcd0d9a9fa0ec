"""`regulars` against the emulator of Snowflake: python tests/parity/serve.py demo, or sql "...", status and so on.

What the emulator holds lies in a home of its own, `emulated` below REGULARS_HOME, and is there again for the next command.
It is DuckDB underneath: docs/engines.md says what it proves.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")  # the connector warns of versions of packages that it does not use

import snowflake.connector  # noqa: E402
from emulator import emulator  # noqa: E402


def main(arguments: list[str]) -> int:
    """Exit status of the command."""
    home = Path(os.environ.get("REGULARS_HOME", ".regulars")) / "emulated"
    (home / "account").mkdir(parents=True, exist_ok=True)
    with emulator(home / "account") as access:
        for database in ("REGULARS", "REGULARS_PUBLISHED"):  # which `regulars snowflake setup` makes on an account
            snowflake.connector.connect(**access, database=database, schema="OPS").close()
        given = {
            "REGULARS_WAREHOUSE": "snowflake", "REGULARS_HOME": str(home), "REGULARS_SNOWFLAKE__ACCOUNT": "org-emulator",
            "REGULARS_SNOWFLAKE__USER": "DEMO", "REGULARS_SNOWFLAKE__PASSWORD": "any", "REGULARS_SNOWFLAKE__WAREHOUSE": "DEMO_XSMALL",
            "REGULARS_SNOWFLAKE__HOST": access["host"], "REGULARS_SNOWFLAKE__PORT": str(access["port"]),
            "REGULARS_SNOWFLAKE__PROTOCOL": "http",
        }  # fmt: skip
        place = f"{access['host']}:{access['port']}, its databases below {home / 'account'}"
        print(f"Snowflake is an emulator here (fakesnow, DuckDB underneath) at {place}", file=sys.stderr)
        command = [Path(sys.executable).with_name("regulars"), *arguments]
        return subprocess.run(command, env=os.environ | given, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Flows without Prefect, one after the other in one process."""

from __future__ import annotations

import subprocess
import sys

TWO_RUNS = """
import sys, types
from prefect import flow, task
from chaos.plain import run_plain

double = task(lambda number: 2 * number, name="double")
flows = sys.modules["flows.tried"] = types.ModuleType("flows.tried")
flows.double = double
flows.tried = flow(lambda number: flows.double.submit(number).result(), name="tried")
print([run_plain("flows.tried:tried", number=number) for number in (1, 2)])
"""


def test_several_days_run_in_one_process() -> None:
    done = subprocess.run([sys.executable, "-c", TWO_RUNS], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[2, 4]", done.stderr

"""Each check of the oracle sees what it is there for, and nothing where there is nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from regulars.settings import PROJECT_DIR

pytestmark = pytest.mark.whole
NOTHING = ["nothing", "no process stays", "no session stays", "every guard in place"]
FAULTS = ["fault kill-stages 4", "fault disk-full 1", "fault failing-calls 0"]
SEEN_BY = {
    "a row is gone": "tables",
    "a staging table stays": "records",
    "a batch is forgotten": "records",
    "a finding that nobody found": "records",
    "a picture more than drawn": "files",
    "a row was lost on the way": "balance",
    "a batch is in the ledger twice": "ledger",
    "a delivery is not in the ledger": "ledger",
    "the published copy differs": "published",
    "a draft of the published copy stays": "files",
    "a part without a manifest": "files",
    "a draft in a batch": "files",
    "a landed part has other bytes": "files",
    "a batch is gone": "files",
    "a delivered file is gone": "files",
    "a file more than delivered": "files",
    "a spool stays": "files",
    "a temporary file stays": "files",
    "the warehouse is locked": "locks",
    "a session stays": "locks",
    "a process stays": "processes",
    "delivered again": "rerun",
    # Guards of the library switched off, and a kill where they matter.
    "no transaction": "balance",
    "manifest first": "run",
    "unfinished batches stay": "files",
    "spools stay": "files",
    "loaded batches are unknown": "ledger",
}


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[str]]]:
    folder = tmp_path_factory.mktemp("guards")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("guards_off.py")), str(folder)],
        cwd=PROJECT_DIR, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT_DIR)},
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, list[list[str]]] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_every_case_is_judged(seen: dict[str, list[list[str]]]) -> None:
    assert set(seen) == {*SEEN_BY, *NOTHING, *FAULTS}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_comes_of_a_fault(seen: dict[str, list[list[str]]], fault: str) -> None:
    *findings, (_, status, note) = seen[fault]
    assert findings == []
    if status == "not injected":
        pytest.skip(f"{fault}: {note}")
    assert status == "survived"


@pytest.mark.parametrize("case", NOTHING)
def test_nothing_is_found_where_nothing_is_wrong(seen: dict[str, list[list[str]]], case: str) -> None:
    assert seen[case] == []


@pytest.mark.parametrize(("case", "check"), SEEN_BY.items())
def test_what_is_wrong_is_seen_by_its_check(seen: dict[str, list[list[str]]], case: str, check: str) -> None:
    assert check in {found for found, _ in seen[case]}, seen[case]

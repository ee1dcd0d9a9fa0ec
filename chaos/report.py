"""What a campaign came to: lines for a person, JSON for a machine."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from chaos.fault import Outcome
from chaos.findings import WRONG_TABLES
from chaos.late_kill import TARGET, LateKill
from regulars.run import code_version

PACKAGES = ("duckdb", "prefect", "dbt-core", "dbt-duckdb", "great-expectations", "pyarrow", "psycopg", "moto")


def line(outcome: Outcome) -> str:
    """One fault as it is printed while a campaign runs."""
    took = f"{outcome.restart_seconds:6.1f} s" if outcome.restart_seconds else " " * 8
    text = f"{outcome.kind:<16}{outcome.number:>4}  {outcome.status:<13}{took}  {outcome.scenario:<11} {outcome.what}"
    if outcome.note:
        text += f" ({outcome.note.splitlines()[0]})"
    if outcome.status == "failed":
        text += "".join(f"\n      {found.check}: {found.text}" for found in outcome.findings[:12])
        text += f'\n      replay: python -m chaos --replay "{outcome.replay}"'
    return text


def totals(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Faults injected, and of these: with wrong tables, with stuck locks, with orphans (files or processes)."""
    injected = [one for one in outcomes if one.status != "not injected"]

    def seen(*checks: str) -> int:
        return sum(any(found.check in checks for found in one.findings) for one in injected)

    return {
        "injected": len(injected),
        "wrong_tables": seen(*WRONG_TABLES),
        "stuck_locks": seen("locks"),
        "orphans": seen("files", "processes"),
        "not_injected": len(outcomes) - len(injected),
    }


def summary(outcomes: Sequence[Outcome], late: LateKill | None) -> str:
    """The table per kind, the repeated work, and the last line."""
    lines = [f"{'kind':<16}{'injected':>9}{'failed':>8}{'not injected':>14}{'restart median':>16}{'worst':>9}"]
    for kind in dict.fromkeys(one.kind for one in outcomes):
        mine = [one for one in outcomes if one.kind == kind]
        found = totals(mine)
        seconds = [one.restart_seconds for one in mine if one.restart_seconds]
        times = f"{statistics.median(seconds):>14.1f} s{max(seconds):>7.1f} s" if seconds else ""
        failed = sum(one.status == "failed" for one in mine)
        lines.append(f"{kind:<16}{found['injected']:>9}{failed:>8}{found['not_injected']:>14}{times}")
    if late:
        lines.append(
            f"killed at 90 % of a day of {late.users:,} users, {late.trials} times: data work in total {late.median:.2f}x "
            f"of a clean run (worst {max(late.data_ratios):.2f}x, target {TARGET}x); wall time of a warm process "
            f"{statistics.median(late.wall_ratios):.2f}x"
        )
    found = totals(outcomes)
    lines.append(
        f"faults injected {found['injected']}, wrong tables {found['wrong_tables']}, "
        f"stuck locks {found['stuck_locks']}, orphans {found['orphans']}"
    )
    return "\n".join(lines)


def write_json(path: Path, outcomes: Sequence[Outcome], late: LateKill | None, **facts: Any) -> None:
    """Everything, with what is needed to repeat it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {
        **facts,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": code_version(),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "totals": totals(outcomes),
        "late_kill": asdict(late) if late else None,
        "faults": [asdict(one) for one in outcomes],
    }
    path.write_text(json.dumps(report, indent=1))


def machine() -> dict[str, Any]:
    """The class of machine: no name, no address."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gb": round(pages * size / 2**30),
    }

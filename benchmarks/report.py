"""How every benchmark reports: a table for people, JSON for machines, with what is needed to repeat it."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

RESULTS = Path(__file__).resolve().parent.parent / ".regulars" / "benchmarks"
PACKAGES = ("duckdb", "pyarrow", "dbt-core", "dbt-duckdb", "great-expectations", "prefect")


@dataclass(frozen=True)
class Figure:
    """One line of the table. `value` in `unit`; `target` says what is aimed at (such as `<= 1.3`), empty where nothing is."""

    name: str
    value: float
    unit: str = "s"
    target: str = ""

    @property
    def is_met(self) -> bool | None:
        """None without a target."""
        if not self.target:
            return None
        sign, limit = self.target.split()
        return self.value <= float(limit) if sign == "<=" else self.value >= float(limit)


def median(seconds: Sequence[float]) -> float:
    return statistics.median(seconds)


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    started = perf_counter()
    work()
    return perf_counter() - started


def interleaved(runs: int, **works: Callable[[], object]) -> dict[str, float]:
    """Median seconds of each work, all of them once per round, so that a busy moment of the machine meets all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            seconds[name].append(timed(work))
    return {name: median(found) for name, found in seconds.items()}


def machine_facts(**more: Any) -> dict[str, Any]:
    """Versions, machine and how busy it was, with the seed and sizes of the benchmark."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False)
    return {
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB",
        "load": round(os.getloadavg()[0], 1),
        "versions": {name: version(name) for name in PACKAGES},
        **more,
    }


def show(name: str, figures: Sequence[Figure], facts: dict[str, Any]) -> None:
    """Print the table and write `.regulars/benchmarks/<name>.json`."""
    width = max(len(figure.name) for figure in figures)
    print(f"\n{name}: " + ", ".join(f"{key} {value}" for key, value in facts.items() if key != "versions"))
    for figure in figures:
        verdict = "" if figure.is_met is None else f"target {figure.target}: {'met' if figure.is_met else 'MISSED'}"
        print(f"  {figure.name:{width}}  {figure.value:10,.2f} {figure.unit:8} {verdict}".rstrip(), flush=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    rows = [asdict(figure) | {"met": figure.is_met} for figure in figures]
    (RESULTS / f"{name}.json").write_text(json.dumps({"figures": rows, "facts": facts}, indent=2, default=str) + "\n")


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30

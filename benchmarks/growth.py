"""How a day grows with the number of users: seconds and peak memory at several sizes, and the fitted exponent.

python benchmarks/growth.py [users ..., default 100000 500000 1000000 2000000 5000000] [--days 3] [--folder FOLDER]

Each size is a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

from report import RESULTS, Figure, machine_facts, show


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("sizes", nargs="*", type=int, default=[100_000, 500_000, 1_000_000, 2_000_000, 5_000_000])
    options.add_argument("--days", type=int, default=3)
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--folder", type=Path, default=None)
    options.add_argument("--memory", default="8GB", help="memory limit of the engine")
    given = options.parse_args()
    sizes, figures, seconds = given.sizes, [], []
    with tempfile.TemporaryDirectory() as made:
        for size in sizes:
            folder = (given.folder or Path(made)) / str(size)
            day = one_size(size, given.days, given.runs, folder, given.memory)
            seconds.append(day["models of the day, marts and segments"])
            figures += [
                Figure(f"{size:,} users", seconds[-1]),
                Figure(f"{size:,} users, against hand-written SQL", day["ratio"], "x"),
                Figure(f"{size:,} users, peak memory of the process", day["peak memory"], "GB"),
            ]
    figures.append(Figure("exponent", exponent(sizes, seconds), "", "<= 1.05"))
    show("growth", figures, machine_facts(sizes=sizes, days=given.days, memory_limit=given.memory))


def one_size(users: int, days: int, runs: int, folder: Path, memory: str) -> dict[str, float]:
    """Figures of `day.py` by name."""
    command = [sys.executable, str(Path(__file__).with_name("day.py")), str(users), str(days)]
    subprocess.run([*command, "--runs", str(runs), "--folder", str(folder), "--memory", memory], check=True)
    found = json.loads((RESULTS / "day.json").read_text())
    return {figure["name"]: figure["value"] for figure in found["figures"]}


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """Slope of the least-squares line through log(seconds) over log(users): 1 is linear."""
    xs, ys = [math.log(size) for size in sizes], [math.log(value) for value in seconds]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


if __name__ == "__main__":
    main()

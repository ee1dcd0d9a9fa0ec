"""What a daily merge costs besides the data: the whole flow over so few rows that reading and building them takes no time.

python benchmarks/overhead.py [--users 100] [--warm 5] [--profile]

The seconds are those of `daily-loyalty-merge` with everything around it: Prefect and its server, dbt, Great Expectations, ledgers,
publication, deliveries. Cold is a new process over a home in which two days were merged, from its start to the end of its first
run; warm are the days after it in the same process. They are an upper bound: what the few rows cost is in them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import RESULTS, Figure, machine_facts, median, show
from world import World, write_day, write_sources

DAYS_BEFORE = 2


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--users", type=int, default=100)
    options.add_argument("--warm", type=int, default=5, help="warm days")
    options.add_argument(
        "--profile", action="store_true", help="write profile.out beside the figures, of the last warm day"
    )
    options.add_argument("--days", default=None, help=argparse.SUPPRESS)  # of the process that is measured
    given = options.parse_args()
    world = World(given.users, DAYS_BEFORE + 1 + given.warm)
    if given.days:
        merge(world, range(*map(int, given.days.split(":"))), given.profile)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_sources(folder / "sources", folder / "sources.yml")
        for index in range(world.days):
            write_day(world, folder / "sources", index)
        fresh_process(given, folder, range(DAYS_BEFORE))
        started = time.time()
        ended = fresh_process(given, folder, range(DAYS_BEFORE, world.days))
        seconds = [after - before for before, after in zip([started, *ended], ended, strict=False)]
        steps = read_steps(folder / "home" / "logs" / "ingestion.log", world)
    figures = [
        Figure("cold: a new process, its first run", seconds[0], "s", "<= 20"),
        Figure(f"warm: median of {given.warm} more", median(seconds[1:]), "s", "<= 5"),
        *[Figure(f"  of which {name}", value) for name, value in steps.items()],
    ]
    show("overhead", figures, machine_facts(users=given.users))


def fresh_process(given: argparse.Namespace, folder: Path, days: range) -> list[float]:
    """Merge days in a process of its own; the clock at the end of each."""
    environment = os.environ | {
        "REGULARS_HOME": str(folder / "home"), "REGULARS_SOURCES": str(folder / "sources.yml"), "REGULARS_PSEUDONYM_KEY": "benchmark",
        "REGULARS_LANDING_URL": "", "REGULARS_DELIVERY_URL": "",
    }  # fmt: skip
    command = [
        sys.executable,
        __file__,
        "--users",
        str(given.users),
        "--warm",
        str(given.warm),
        "--days",
        f"{days.start}:{days.stop}",
    ]
    command += ["--profile"] if given.profile else []
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


def merge(world: World, days: range, with_profile: bool) -> None:
    """Merge each day and print the clock after it, on the only line of standard output."""
    from flows.commands.prefect_profile import use_local_prefect

    use_local_prefect()
    from flows.loyalty import daily_loyalty_merge

    for index in days:
        if with_profile and index == world.days - 1:
            import cProfile

            RESULTS.mkdir(parents=True, exist_ok=True)
            profile = cProfile.Profile()
            profile.runcall(daily_loyalty_merge, world.day(index))
            profile.dump_stats(RESULTS / "profile.out")
        else:
            daily_loyalty_merge(world.day(index))
        print(time.time(), flush=True)


def read_steps(log: Path, world: World) -> dict[str, float]:
    """Seconds of the last day's steps by stage; landings side by side count from the first to the last."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    found: dict[str, float] = {}
    for line in lines:
        if line["as_of"] == world.day(world.days - 1).isoformat():
            found[line["stage"]] = found.get(line["stage"], 0.0) + line["seconds"]
    return found


if __name__ == "__main__":
    main()

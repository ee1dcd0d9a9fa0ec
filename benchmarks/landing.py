"""Landing of CSV, Parquet and PostgreSQL tables beside the engine's own read and write of the same rows.

python benchmarks/landing.py [rows ...] [--runs 5] [--kinds csv parquet postgres personal]     (default 2,000,000 rows)

The rows are user activity (9 columns, a key, an enum, four bounds); `personal` is Parquet of user profiles, with two
keyed hashes per row. Both ways run in a fresh process each, with equal threads, codec and memory limit, and name the
columns and types; the engine's way only reads and writes. Landing also judges every row, looks for repeated keys, counts,
digests and flushes. Peak memory is what the operating system says of the process (VmHWM), Python included.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from report import Figure, machine_facts, median, show, timed
from world import World, table_rows

from regulars.contracts import Contract, read_contracts
from regulars.engine import load_extension, quote
from regulars.landing import land
from regulars.postgres.server import start_server, stop_server
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources, TableSource

KINDS = ("csv", "parquet", "postgres", "personal")
TARGET, MEMORY = ">= 0.8", "<= 512"
PER_USER = 1.1  # events of user_activity per user and day in benchmarks/world.py
POSTGRES = {"varchar": "text", "double": "double precision"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("rows", nargs="*", type=lambda text: int(text.replace("_", "")), default=[2_000_000])
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    options.add_argument(
        "--folder", type=Path, default=None, help="of the sources; kept, and used again by a later call"
    )
    options.add_argument("--worker", nargs=2, default=None, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.worker:
        print(json.dumps(worker(Bench(given.folder, given.rows[0]), *given.worker)))
        return
    with tempfile.TemporaryDirectory() as made:
        figures: list[Figure] = []
        for rows in given.rows:
            bench = Bench((given.folder or Path(made)) / str(rows), rows)
            bench.prepare(given.kinds)
            try:
                for kind in given.kinds:
                    figures += bench.compare(kind, given.runs)
            finally:
                stop_server(bench.folder)
        show(
            "landing",
            figures,
            machine_facts(rows=given.rows, runs=given.runs, limit=Settings(_env_file=None).landing_memory_limit),
        )


class Bench:
    """Sources of `rows` rows in a folder."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder, self.rows = folder, rows
        self.world = World(round(rows / PER_USER), 1)

    def contract(self, kind: str) -> Contract:
        contracts = read_contracts(Settings(_env_file=None).dbt_project_dir / "models" / "staging")
        return contracts["user_profile" if kind == "personal" else "user_activity"]

    def dated(self, kind: str) -> str:
        """Path as sources.yml has it: a file per day."""
        return {
            "csv": "activity/{as_of}.csv",
            "parquet": "activity/{as_of}.parquet",
            "personal": "profile/{as_of}.parquet",
        }[kind]

    def path(self, kind: str) -> Path:
        return self.folder / self.dated(kind).format(as_of=self.world.day(0))

    def settings(self) -> Settings:
        return Settings(_env_file=None, home=self.folder / "home", pseudonym_key="benchmark")

    def url(self) -> str:
        return start_server(self.folder).uri()

    def prepare(self, kinds: tuple[str, ...]) -> None:
        """Write what is not there yet. PostgreSQL gets the rows of the CSV file by COPY."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as engine:
            engine.execute("set threads = 2")
            for kind in ("csv", "parquet", "personal"):
                wanted = kind in kinds or (kind == "csv" and "postgres" in kinds)
                if not wanted or self.path(kind).exists():
                    continue
                table = self.contract(kind).table
                world = World(self.rows, 1) if kind == "personal" else self.world
                codec = "format csv, header true" if kind == "csv" else "format parquet, compression zstd"
                self.path(kind).parent.mkdir(exist_ok=True)
                draft = self.path(kind).with_suffix(".draft")
                engine.execute(f"copy ({table_rows(world, table, 0)}) to {quote(str(draft))} ({codec})")
                draft.rename(self.path(kind))
        if "postgres" in kinds:
            self._fill_postgres()

    def _fill_postgres(self) -> None:
        import psycopg

        columns = ", ".join(f"{c.name} {POSTGRES.get(c.data_type, c.data_type)}" for c in self.contract("csv").columns)
        with psycopg.connect(self.url(), autocommit=True) as session:
            if session.execute("select to_regclass('public.activity')").fetchone() != (None,):
                return
            session.execute(f"create table draft ({columns})".encode())
            rows = open(self.path("csv"), "rb")  # noqa: SIM115  closed by the next line
            with rows, session.cursor().copy("copy draft from stdin (format csv, header true)") as copy:
                while piece := rows.read(1 << 20):
                    copy.write(piece)
            session.execute("vacuum (analyze) draft")
            session.execute("alter table draft rename to activity")

    def compare(self, kind: str, runs: int) -> list[Figure]:
        found: dict[str, list[dict[str, float]]] = {"engine": [], "land": []}
        for _ in range(runs):
            for way, results in found.items():
                results.append(self.run(way, kind))
        seconds = {way: median([result["seconds"] for result in results]) for way, results in found.items()}
        peak = {way: max(result["peak"] for result in results) for way, results in found.items()}
        name = f"{kind} {self.rows / 1e6:g} M"
        return [
            Figure(f"{name}: landing", seconds["land"]),
            Figure(f"{name}: the engine's read and write", seconds["engine"]),
            Figure(f"{name}: speed", seconds["engine"] / seconds["land"], "x", TARGET),
            Figure(f"{name}: peak memory of landing", peak["land"], "MB", MEMORY),
            Figure(f"{name}: peak memory of the engine", peak["engine"], "MB"),
        ]

    def run(self, way: str, kind: str) -> dict[str, float]:
        command = [sys.executable, __file__, str(self.rows), "--folder", str(self.folder), "--worker", way, kind]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{way} {kind}: {done.stderr}")
        result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return result


def worker(bench: Bench, way: str, kind: str) -> dict[str, float]:
    """One measured run in a process of its own: seconds of the work, peak memory in MB."""
    url = bench.url() if kind == "postgres" else ""
    with tempfile.TemporaryDirectory(dir=bench.folder) as place:
        work = (
            by_engine(bench, kind, Path(place), url) if way == "engine" else by_landing(bench, kind, Path(place), url)
        )
        seconds = timed(work)
    return {"seconds": seconds, "peak": peak_megabytes()}


def by_landing(bench: Bench, kind: str, place: Path, url: str) -> Any:
    contract = bench.contract(kind)
    files = Connection(kind="files", path=str(bench.folder))
    connection = Connection(kind="postgres", url=url) if kind == "postgres" else files
    entry = {"table": "public.activity"} if kind == "postgres" else {"path": bench.dated(kind)}
    table = TableSource.model_validate({"from": "place", **entry})
    sources = Sources(connections={"place": connection}, tables={contract.table: table})
    settings = bench.settings().model_copy(update={"home": place})
    expected = bench.rows if kind == "personal" else int(bench.world.users * PER_USER)
    run = Run("benchmark", "benchmark", bench.world.day(0), datetime(2026, 6, 1))
    warm_up(contract, place)

    def work() -> None:
        manifest = land(contract, sources, settings, run).manifest
        if (manifest.rows_loaded, manifest.rows_read) != (expected, expected):
            raise SystemExit(f"{manifest.rows_loaded} of {expected} rows landed: {manifest.rejects_by_rule}")

    return work


def warm_up(contract: Contract, place: Path) -> None:
    """Land an empty table, so that what a process does once (imports, the engine's start) is not in the measurement."""
    header = ",".join(column.name for column in contract.columns)
    (place / "empty.csv").write_text(header + "\n")
    table = TableSource.model_validate({"from": "place", "path": "empty.csv"})
    sources = Sources(connections={"place": Connection(kind="files", path=str(place))}, tables={contract.table: table})
    settings = Settings(_env_file=None, home=place / "warm", pseudonym_key="benchmark")
    land(contract, sources, settings, Run("benchmark", "benchmark", World(1, 1).day(0), datetime(2026, 6, 1)))


def by_engine(bench: Bench, kind: str, place: Path, url: str) -> Any:
    engine = duckdb.connect()
    settings = bench.settings()
    engine.execute(
        f"set threads = {settings.threads}; set memory_limit = {quote(settings.landing_memory_limit)}; set TimeZone = 'UTC'"
    )
    engine.execute(f"set temp_directory = {quote(str(place))}")
    if kind == "postgres":
        load_extension(engine, "postgres_scanner")
        engine.execute(f"attach {quote(url)} as source (type postgres, read_only)")
        relation = "source.public.activity"
    elif kind == "csv":
        columns = ", ".join(f"{c.name}: {quote(c.data_type)}" for c in bench.contract(kind).columns)
        relation = (
            f"read_csv({quote(str(bench.path(kind)))}, auto_detect = false, header = true, columns = {{{columns}}})"
        )
    else:
        relation = f"read_parquet({quote(str(bench.path(kind)))})"
    target = quote(str(place / "copy.parquet"))
    options = "format parquet, compression zstd, compression_level 1"
    return lambda: engine.execute(f"copy (from {relation}) to {target} ({options})")


def peak_megabytes() -> float:
    """The process's greatest resident memory so far; Linux."""
    lines = Path(f"/proc/{os.getpid()}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    main()

"""History of members kept by us, by `dbt snapshot`, by SQL written by hand and by dlt, at 1 %, 10 % and 50 % of the rows changing a day.

python benchmarks/history.py [members, default 1000000] [--days 60] [--changes 0.01,0.1,0.5] [--runs 5] [--folder FOLDER]

Our 60 days are built one by one by the macros of dbt/warehouse; then the first and the last day are built again in turn from copies of
the warehouse before them, and the first day by every peer. Every figure is one day and a checkpoint after it; dbt's own start is not counted,
nor dlt's extraction. The rows must be those that the formulas of the members say, or there is no figure.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb
from history_ways import BY_HAND_LATE, COLUMNS, OURS, PEERS, Dlt, Way
from history_world import Members
from report import Figure, machine_facts, median, show, timed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("members", nargs="?", type=lambda text: int(text.replace("_", "")), default=1_000_000)
    options.add_argument("--days", type=int, default=60)
    options.add_argument(
        "--changes", type=lambda text: [float(one) for one in text.split(",")], default=[0.01, 0.1, 0.5]
    )
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--folder", type=Path, default=None, help="kept, and used again by a later call")
    given = options.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as made:
        for change in given.changes:
            folder = (given.folder or Path(made)) / f"{given.members}-{given.days}-{change}"
            bench = Bench(Members(given.members, change), given.days, folder)
            bench.prepare()
            figures += bench.sizes() + bench.measure(given.runs)
            if not given.folder:
                shutil.rmtree(folder)
    dlt = importlib.metadata.version("dlt") if has_dlt() else "not installed: make bench installs it"
    show("history", figures, machine_facts(members=given.members, days=given.days, runs=given.runs, seed=1, dlt=dlt))


def has_dlt() -> bool:
    return importlib.util.find_spec("dlt") is not None


@dataclass(frozen=True)
class Bench:
    """One rate of change. `folder` keeps the members (world.duckdb) and, per way, the warehouse before the day that is measured."""

    members: Members
    days: int
    folder: Path

    @property
    def percent(self) -> str:
        return f"{self.members.change * 100:g} %"

    @property
    def frozen(self) -> tuple[int, ...]:
        return (0, 1, self.days - 1, self.days)

    @property
    def warehouse(self) -> Path:
        return self.folder / "run" / "warehouse.duckdb"

    def open(self) -> duckdb.DuckDBPyConnection:
        """The warehouse of the moment, with the members beside it; dbt's connections in this process share it."""
        self.warehouse.parent.mkdir(parents=True, exist_ok=True)
        engine = duckdb.connect(str(self.warehouse))
        engine.execute(f"attach '{self.folder / 'world.duckdb'}' as world")
        return engine

    def show_frozen(self, engine: duckdb.DuckDBPyConnection, index: int) -> None:
        self.members.show(engine, index, f"world.states_{index}")

    def kept(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '_')}.duckdb"

    def prepare(self) -> None:
        """Build our days one by one and every peer's first, unless an earlier call did."""
        if (self.folder / "ready").exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        with self.open() as engine:
            self.members.begin(engine)
        for index in range(self.days + 1):
            with self.open() as engine:
                if index:
                    self.members.step(engine, index)
                if index in self.frozen:
                    self.members.freeze(engine, index)
                self.members.show(engine, index)
                seconds = OURS.run(engine, self.members.day(index))
                engine.execute("checkpoint")
            print(f"{self.percent}: day {index} of {self.days} in {seconds:.2f} s", flush=True)
            if index in (0, self.days - 1, self.days):
                shutil.copyfile(self.warehouse, self.kept(f"ours {index}"))
        with self.open() as engine:
            self.show_frozen(engine, 0)
        for way in PEERS:
            self.warehouse.unlink()
            with self.open() as engine:
                way.begin(engine, self.members.day(0))
                engine.execute("checkpoint")
            shutil.copyfile(self.warehouse, self.kept(way.name))
        if has_dlt():
            Dlt(self.folder / "dlt", self.folder / "world.duckdb").load(self.members.day(0))
        (self.folder / "ready").touch()

    def sizes(self) -> list[Figure]:
        """Rows after the last day against the formulas, and bytes per row written against those of a row of the master."""
        shutil.copyfile(self.kept("ours 0"), self.warehouse)
        with self.open() as engine:
            before = used_bytes(engine)
        shutil.copyfile(self.kept(f"ours {self.days}"), self.warehouse)
        with self.open() as engine:
            after = used_bytes(engine)
            (rows,) = engine.execute(f"select count(*) from {OURS.table}").fetchone() or (0,)
            expected = self.members.expected_rows(engine, self.days)
            if rows != sum(expected.values()):
                raise SystemExit(f"{rows} stretches, but {expected} make {sum(expected.values())}")
            self.check_days(engine)
        self.warehouse.unlink()
        with self.open() as engine:
            engine.execute(f"create table master as select {COLUMNS} from world.states_{self.days}; checkpoint")
            (present,) = engine.execute("select count(*) from master").fetchone() or (0,)
            master = used_bytes(engine) / present
        written = (after - before) / (rows - expected["first"])
        return [
            Figure(f"{self.percent}: stretches, exactly as the formulas say", rows, "rows"),
            Figure(f"{self.percent}: bytes per stretch after the first", written, "bytes"),
            Figure(f"{self.percent}: against a row of the master", written / master, "x", "<= 1.2"),
        ]

    def check_days(self, engine: duckdb.DuckDBPyConnection) -> None:
        """History must answer for a day with the very rows that were true then. Raises SystemExit."""
        for index in self.frozen:
            day = f"date '{self.members.day(index)}'"
            known = f"""select {COLUMNS} from {OURS.table}
                where not is_deleted and valid_from <= {day} and coalesce(valid_to, date '9999-12-31') > {day}"""
            true = f"select {COLUMNS} from world.states_{index}"
            for left, right in ((known, true), (true, known)):
                if engine.execute(f"select count(*) from ({left} except all {right})").fetchone() != (0,):
                    raise SystemExit(f"history does not hold what was true on day {index}")

    def measure(self, runs: int) -> list[Figure]:
        """Every way in turn, as often as `runs`."""
        seconds: dict[str, list[float]] = {}
        for _ in range(runs):
            for name, base, way, index in self.turns():
                seconds.setdefault(name, []).append(self.once(way, base, index))
            if has_dlt():
                for step, took in self.dlt_day().items():
                    seconds.setdefault(self.turn(f"dlt scd2 ({step})", 1), []).append(took)
            print(
                f"{self.percent}: " + ", ".join(f"{name} {took[-1]:.2f}" for name, took in seconds.items()), flush=True
            )
        figures = [Figure(f"{self.percent}: {name}", median(took)) for name, took in seconds.items()]

        def ratio(name: str, over: str, target: str = "") -> Figure:
            """Median of what the two had to each other within a round: the machine may be busier in one than in the next."""
            shares = [left / right for left, right in zip(seconds[name], seconds[over], strict=True)]
            return Figure(f"{self.percent}: {name} / {over}", median(shares), "x", target)

        first, last = self.turn("ours", 1), self.turn("ours", self.days)
        figures += [
            ratio(last, first, "<= 1.1"),
            ratio(self.turn(BY_HAND_LATE.name, self.days), self.turn(BY_HAND_LATE.name, 1)),
        ]
        peers = [name for name in seconds if name.endswith("day 1") and name != first]
        return figures + [ratio(name, first, "" if "by hand" in name else ">= 2") for name in peers]

    def turn(self, name: str, index: int) -> str:
        return f"{name}, day {index}"

    def turns(self) -> list[tuple[str, Path, Way, int]]:
        before = self.kept(f"ours {self.days - 1}")
        return [
            (self.turn("ours", 1), self.kept("ours 0"), OURS, 1),
            (self.turn("ours", self.days), before, OURS, self.days),
            (self.turn(BY_HAND_LATE.name, self.days), before, BY_HAND_LATE, self.days),
            *((self.turn(way.name, 1), self.kept(way.name), way, 1) for way in PEERS),
        ]

    def once(self, way: Way, base: Path, index: int) -> float:
        """Seconds of one day of one way, from a copy of what it had the day before."""
        shutil.copyfile(base, self.warehouse)
        with self.open() as engine:
            self.show_frozen(engine, index)
            engine.execute("checkpoint world")
            seconds = way.run(engine, self.members.day(index)) + timed(lambda: engine.execute("checkpoint"))
            rows = engine.execute(f"select count(*) from {way.table}").fetchone()
            if index == 1:
                self.check_rows(
                    way.name, rows[0] if rows else 0, engine, has_deletes=way.table in ("history", OURS.table)
                )
        return seconds

    def dlt_day(self) -> dict[str, float]:
        with self.open() as engine:
            self.show_frozen(engine, 1)
        copied = Dlt(self.folder / "dlt", self.folder / "world.duckdb").copy_to(self.folder / "run" / "dlt")
        seconds = copied.load(self.members.day(1))
        with self.open() as engine:
            self.check_rows(copied.name, copied.rows(), engine, has_deletes=False)
        return seconds

    def check_rows(self, name: str, rows: int, engine: duckdb.DuckDBPyConnection, has_deletes: bool) -> None:
        """A way that lost a change has no figure. Raises SystemExit."""
        expected = self.members.expected_rows(engine, 1)
        wanted = sum(expected.values()) - (0 if has_deletes else expected["left"])
        if rows != wanted:
            raise SystemExit(f"{name}: {rows} rows after day 1, but the formulas say {wanted}")


def used_bytes(engine: duckdb.DuckDBPyConnection) -> int:
    """What the tables of the warehouse take in its file, free blocks left out."""
    size = engine.execute(
        "select block_size * used_blocks from pragma_database_size() where database_name = 'warehouse'"
    )
    return (size.fetchone() or (0,))[0]


if __name__ == "__main__":
    main()

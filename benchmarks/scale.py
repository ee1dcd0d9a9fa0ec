"""What a day weighs: bytes per row and change rates of a sample world, measured, and what follows for 1, 10 and 100 M users.

python benchmarks/scale.py [users, default 100000] [days, default 3] [--folder FOLDER]

Measured: files, rows and bytes that landing writes, rows and bytes (Parquet, zstd) of every table that the models make, rows that a
day adds to them, and seconds inside the models on this machine for two sizes, which gives seconds for each user. Everything else is
arithmetic from `ASSUMED`, which docs/scale.md explains; no figure of Snowflake's was measured.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
from day import Bench
from report import Figure, machine_facts, show
from world import World

from regulars.engine import quote
from regulars.manifest import Manifest, committed_manifests
from regulars.storage import open_storage

SIZES = (1_000_000, 10_000_000, 100_000_000)
CREDITS = {
    "XSMALL": 1,
    "SMALL": 2,
    "MEDIUM": 4,
    "LARGE": 8,
    "XLARGE": 16,
    "XXLARGE": 32,
}  # an hour, by Snowflake's documentation


@dataclass(frozen=True)
class Assumed:
    """What is not measured here; change it to what your contract and your first month say."""

    part_bytes: int = 200 * 2**20  # of a landed file, once a table is larger than that
    copy_bytes_per_second: int = 20 * 2**20  # compressed Parquet, by COPY INTO, for each credit an hour
    speedup: float = 1.0  # of one credit an hour against the two cores that the models were measured on
    overhead_seconds: float = 60.0  # of some 45 models, their statements and tests, whatever the size
    gate_seconds_per_million: float = 15.0  # users; on two cores, docs/performance.md
    goal_seconds: int = 1200  # that the models of a day may take; the smallest warehouse that holds it is chosen
    shortest_seconds: int = 60  # that a warehouse is paid for when it resumes, by Snowflake's documentation
    suspend_seconds: int = 60
    credit_dollars: float = 3.0
    snowflake_dollars_per_tb_month: float = 23.0
    s3_dollars_per_tb_month: float = 23.0
    worker_rows_per_second: int = 1_000_000  # of a landing, docs/performance.md
    kept_days: int = (
        365  # of landings and raw rows: retention empties columns and removes superseded revisions, no rows
    )


ASSUMED = Assumed()


@dataclass(frozen=True)
class Measured:
    """Of one user and day (`landed_*`, `history_rows`), or of one row."""

    users: int
    landed_rows: float
    landed_bytes: float
    tables: dict[str, tuple[float, float, int]]  # landed rows per user, bytes per row, files
    marts: dict[str, tuple[float, float, float]]  # rows per user, rows per user that the last day added, bytes per row
    model_seconds: float  # of the last day
    seconds_per_million: float  # users, without what a run costs whatever its size

    @property
    def mart_bytes(self) -> float:
        """Bytes that the tables of the models hold for one user after the days that were measured."""
        return sum(rows * size for rows, _, size in self.marts.values())

    @property
    def grown_bytes(self) -> float:
        """Bytes for one user that a day adds to the tables that keep history."""
        return sum(new * size for _, new, size in self.marts.values())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("users", nargs="?", type=int, default=100_000)
    options.add_argument("days", nargs="?", type=int, default=3)
    options.add_argument("--folder", type=Path, default=None, help="kept, and used again by a later call")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = given.folder or Path(made)
        small, large = (
            Bench(World(users, given.days), folder / str(users), "4GB") for users in (given.users // 5, given.users)
        )
        seconds = [build_last_day(bench) for bench in (small, large)]
        slope = (seconds[1] - seconds[0]) / (large.world.users - small.world.users)
        found = measure(large, seconds[1], slope * 1e6)
        print_measured(found)
        facts = machine_facts(users=given.users, days=given.days, assumed=asdict(ASSUMED))
        show("scale", list(figures(found)), facts)
        print_table(found)


def build_last_day(bench: Bench) -> float:
    """Seconds inside the models of the last day, the best of two."""
    bench.prepare()
    best = math.inf
    for _ in range(2):
        bench.begin_again()
        best = min(best, bench.build(bench.last)["models"])
    return best


def measure(bench: Bench, seconds: float, seconds_per_million: float) -> Measured:
    """Look at what the landings and the warehouse of the bench hold."""
    users, settings = bench.world.users, bench.settings()
    storage = open_storage(settings.landing_root, settings.s3)
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as engine:
        names = [name for (name,) in engine.execute("select table_name from ops.built_batches group by all").fetchall()]
        of_day = [found for name in sorted(names) for found in last_batches(bench, storage, name)]
        tables = {
            found.table: (found.rows_loaded / users, found.bytes / max(found.rows_loaded, 1), len(found.parts))
            for found in of_day
        }
        marts = {place: weigh(engine, bench, place) for place in made_tables(engine)}
    rows, size = (sum(values) / users for values in zip(*((one.rows_loaded, one.bytes) for one in of_day), strict=True))
    return Measured(users, rows, size, tables, marts, seconds, seconds_per_million)


def last_batches(bench: Bench, storage: object, table: str) -> Iterator[Manifest]:
    """The batches of the last day."""
    for found in committed_manifests(storage, table, skip=set()):  # type: ignore[arg-type]
        if found.as_of == bench.last:
            yield found


def made_tables(engine: duckdb.DuckDBPyConnection) -> list[str]:
    """Tables, not views, that the models made."""
    return [
        f"{schema}.{name}"
        for schema, name in engine.execute(
            "select schema_name, table_name from duckdb_tables() "
            "where schema_name in ('intermediate', 'marts', 'segments') order by all"
        ).fetchall()
    ]


def weigh(engine: duckdb.DuckDBPyConnection, bench: Bench, place: str) -> tuple[float, float, float]:
    """Rows per user, rows per user that the last day added to it, bytes per row as Parquet with zstd."""
    columns = {name for name, *_ in engine.execute(f"describe {place}").fetchall()}
    ((rows,),) = engine.execute(f"select count(*) from {place}").fetchall()
    day = next((name for name in ("valid_from", "landed_on") if name in columns), None)
    new = 0
    if day and rows:
        ((new,),) = engine.execute(f"select count(*) from {place} where {day} = ?", [bench.last]).fetchall()
        new = 0 if new == rows else new  # a table that holds the last day only does not grow
    path = bench.folder / "weighed.parquet"
    engine.execute(f"copy (from {place}) to {quote(str(path))} (format parquet, compression zstd)")
    size = path.stat().st_size
    path.unlink()
    return rows / bench.world.users, new / bench.world.users, size / max(rows, 1)


def figures(found: Measured) -> Iterator[Figure]:
    """What was measured, per user."""
    yield Figure("landed rows per user and day", found.landed_rows, "rows")
    yield Figure("landed bytes per user and day", found.landed_bytes, "bytes")
    yield Figure("bytes of all model tables per user", found.mart_bytes, "bytes")
    yield Figure("bytes that a day adds to them, per user", found.grown_bytes, "bytes")
    yield Figure("models of the last day, this machine", found.model_seconds, "s")
    yield Figure("of which for each million users", found.seconds_per_million, "s")


def print_measured(found: Measured) -> None:
    print(f"\n{'landed on the last day':38} {'rows/user':>10} {'bytes/row':>10} {'files':>6}")
    for table, (rows, size, files) in sorted(found.tables.items(), key=lambda item: -item[1][0] * item[1][1]):
        print(f"{table:38} {rows:10.3f} {size:10.1f} {files:6}")
    print(f"\n{'made by the models':46} {'rows/user':>10} {'of the day':>10} {'bytes/row':>10}")
    for place, (rows, new, size) in sorted(found.marts.items(), key=lambda item: -item[1][0] * item[1][2]):
        print(f"{place:46} {rows:10.3f} {new:10.3f} {size:10.1f}")


def print_table(found: Measured) -> None:
    """The extrapolation, a column for each size."""
    columns = [extrapolate(found, users) for users in SIZES]
    print(f"\n{'':44}" + "".join(f"{f'{users // 1_000_000} M users':>16}" for users in SIZES))
    for name in columns[0]:
        print(f"{name:44}" + "".join(f"{column[name]:>16}" for column in columns))


def extrapolate(found: Measured, users: int) -> dict[str, str]:
    """One column: measured values times `users`; seconds and dollars from ASSUMED."""
    landed = found.landed_bytes * users
    files = sum(
        max(count, math.ceil(rows * users * size / ASSUMED.part_bytes)) for rows, size, count in found.tables.values()
    )
    copy_size, copy_seconds = smallest(landed / ASSUMED.copy_bytes_per_second, ASSUMED.goal_seconds / 2)
    work = (found.seconds_per_million + ASSUMED.gate_seconds_per_million) * users / 1e6 / ASSUMED.speedup
    model_size, model_seconds = smallest(work, ASSUMED.goal_seconds - ASSUMED.overhead_seconds)
    model_seconds += ASSUMED.overhead_seconds
    credits = sum(
        max(seconds, ASSUMED.shortest_seconds) * CREDITS[size] / 3600 + ASSUMED.suspend_seconds * CREDITS[size] / 3600
        for size, seconds in ((copy_size, copy_seconds), (model_size, model_seconds))
    )
    kept = landed * ASSUMED.kept_days
    year = found.mart_bytes * users + found.grown_bytes * users * 365
    storage = (
        (kept * 2 * ASSUMED.snowflake_dollars_per_tb_month + year * ASSUMED.snowflake_dollars_per_tb_month) / 1e12 / 30
    )
    return {
        "rows landed a day": f"{found.landed_rows * users:,.0f}",
        "GB landed a day": f"{landed / 1e9:,.2f}",
        "files a day": f"{files:,}",
        "worker seconds, one process of two cores": f"{found.landed_rows * users / ASSUMED.worker_rows_per_second:,.0f}",
        f"GB of landings after {ASSUMED.kept_days} days": f"{kept / 1e9:,.0f}",
        "GB of model tables after a year": f"{year / 1e9:,.0f}",
        "load: warehouse, seconds": f"{copy_size} {copy_seconds:,.0f}",
        "models and gates: warehouse, seconds": f"{model_size} {model_seconds:,.0f}",
        "credits a day": f"{credits:,.2f}",
        "dollars a day: compute": f"{credits * ASSUMED.credit_dollars:,.2f}",
        "dollars a day: storage, S3 and Snowflake": f"{storage:,.2f}",
    }


def smallest(seconds: float, goal: float) -> tuple[str, float]:
    """The smallest warehouse that does in `goal` what one credit an hour does in `seconds`, and its seconds."""
    for size, credits in CREDITS.items():
        if seconds / credits <= goal:
            return size, seconds / credits
    return "XXLARGE", seconds / CREDITS["XXLARGE"]


if __name__ == "__main__":
    main()

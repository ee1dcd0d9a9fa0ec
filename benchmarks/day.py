"""The models of one business day beside the same tables made by SQL written by hand (`by_hand.sql`), on DuckDB.

python benchmarks/day.py [users, default 1000000] [days of history, default 90] [--folder FOLDER] [--runs 5]

Both begin with the same warehouse, in which every earlier day is landed and built, and write to a copy of it. Ours is `dbt build` of the
flows (marts and segments), counted as the seconds inside models; what dbt needs besides is said apart. The tables must
be equal, row by row, or there is no figure.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from report import Figure, machine_facts, median, show
from world import TABLES, World, write_day, write_sources

from regulars.build_state import build_state, models_in_place
from regulars.contracts import read_contracts
from regulars.dbt_project import (
    build_arguments,
    build_environment,
    keep_parsed_project,
    raise_if_failed,
    read_results,
)
from regulars.landing import land
from regulars.manifest import committed_manifests
from regulars.run import Run
from regulars.run_days import chunk_days, days_to_build, remember_built
from regulars.settings import Settings
from regulars.sources.config import read_sources
from regulars.stages import Stage, read_stages
from regulars.storage import open_storage
from regulars.warehouse import Warehouse, open_warehouse

AT = datetime(2026, 6, 1)
SNAPSHOT_EVERY = 7  # days between snapshots of the profiles in the history; the last two days have one each
STAGES = ("loyalty", "segments")
PAIRS = {
    "marts.user_daily_activity": "marts.user_daily_activity",
    "marts.loyalty_history": "marts.loyalty_history",
    "marts.loyalty_master": "hand.master",
    "marts.feature_adoption_by_region": "hand.by_region",
    "marts.loyalty_unmatched_rows": "hand.unmatched",
    "segments.membership": "segments.membership",
}
MEASURES = [
    "row_count",
    "login_count",
    "purchase_count",
    "feedback_count",
    "purchase_amount",
    "support_call_count",
    "support_chat_count",
    "ticket_count",
    "open_ticket_count",
    "service_request_count",
    "open_service_request_count",
    "help_view_count",
    "repeat_engagement_count",
    "retention_action_count",
    "feature_count",
    "score_count",
    "score_points",
]
COUNTED = [name for name in MEASURES if name not in ("row_count", "score_count", "score_points")]
MONEY = ("purchase_amount", "score_points")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("users", nargs="?", type=int, default=1_000_000)
    options.add_argument("days", nargs="?", type=int, default=90)
    options.add_argument("--folder", type=Path, default=None, help="kept, and used again by a later call")
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--memory", default="8GB")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as made:
        bench = Bench(World(given.users, given.days + 1), given.folder or Path(made), given.memory)
        bench.prepare()
        show(
            "day", measure(bench, given.runs), machine_facts(users=given.users, days=given.days, seed=bench.world.seed)
        )


@dataclass(frozen=True)
class Bench:
    """A world in a folder; `home` holds its landings, `before.duckdb` the warehouse in which all but the last day are built."""

    world: World
    folder: Path
    memory: str

    @property
    def before(self) -> Path:
        return self.folder / "before.duckdb"

    @property
    def last(self) -> date:
        return self.world.day(self.world.days - 1)

    def settings(self) -> Settings:
        return Settings(
            _env_file=None, home=self.folder / "home", pseudonym_key="benchmark", sources=self.folder / "sources.yml", memory_limit=self.memory
        )  # fmt: skip

    def prepare(self) -> None:
        """Land every day and build all but the last one, unless an earlier call did."""
        if self.before.exists():
            return
        settings = self.settings()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_sources(self.folder / "sources", settings.sources_path)
        contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
        sources = read_sources(settings.sources_path, contracts, lambda kind, name: "")
        started = time.perf_counter()
        for index in range(self.world.days):
            is_snapshot = index % SNAPSHOT_EVERY == 0 or index >= self.world.days - 2
            tables = tuple(table for table in TABLES if is_snapshot or table != "user_profile")
            write_day(self.world, self.folder / "sources", index, tables)
            run = Run("benchmark", "benchmark", self.world.day(index), AT)
            for table in tables:
                land(contracts[table], sources, settings, run, accept=True)
                (self.folder / "sources" / table / f"{self.world.day(index)}.parquet").unlink()
            print(f"landed {self.world.day(index)} after {time.perf_counter() - started:.0f} s", flush=True)
        self.build(self.world.day(self.world.days - 2))
        shutil.copyfile(settings.warehouse_path, self.before)

    def build(self, until: date) -> dict[str, float]:
        """Load and build everything landed up to a day; seconds between first and last model, and of dbt as a whole."""
        settings = self.settings()
        contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
        seconds = {"models": 0.0, "dbt": 0.0}
        with open_warehouse(settings) as warehouse:
            warehouse.prepare(contracts)
            storage = open_storage(settings.landing_root, settings.s3)
            for table, contract in contracts.items():
                found = committed_manifests(storage, table, skip=warehouse.known_batches(table))
                landed = [manifest for manifest in found if manifest.as_of <= until]
                warehouse.load(contract, landed, Run("benchmark", "benchmark", until, AT), AT)
            stages = read_stages(settings.dbt_project_dir, contracts)
            for name in STAGES:
                self._build_stage(warehouse, stages[name], until, seconds)
        return seconds

    def _build_stage(self, warehouse: Warehouse, stage: Stage, until: date, seconds: dict[str, float]) -> None:
        from dbt.cli.main import dbtRunner

        settings = self.settings()
        for days in days_to_build(warehouse, stage, until, chunk_days=chunk_days(warehouse, stage, settings)):
            target = settings.home_dir / "dbt" / f"{stage.name}-{days.as_of}"
            target.mkdir(parents=True, exist_ok=True)
            state = build_state(warehouse, settings, stage, days, "")
            os.environ.update(warehouse.dbt_environment() | build_environment(settings, days) | state.environment())
            left_out = models_in_place(warehouse, state)
            arguments = build_arguments(
                settings, target_path=target, with_tests=False, select=stage.select, exclude=left_out
            )
            started = time.perf_counter()
            outcome = dbtRunner().invoke([*arguments, "--quiet", "--log-level", "none"])
            took = time.perf_counter() - started
            keep_parsed_project(settings, target)
            raise_if_failed(read_results(outcome, days))
            remember_built(warehouse, stage, days.as_of)
            seconds["dbt"] += took
            seconds["models"] += model_seconds(outcome)
            print(f"built {stage.name} {days.first_day}..{days.as_of} in {took:.1f} s", flush=True)

    def begin_again(self) -> None:
        """Put the warehouse back to the day before the last."""
        shutil.copyfile(self.before, self.settings().warehouse_path)


def model_seconds(outcome: Any) -> float:
    """Seconds from the start of the first model to the end of the last one, dbt's own work between them included."""
    moments = [step for node in outcome.result.results for step in node.timing if step.name == "execute"]
    seconds: timedelta = max(step.completed_at for step in moments) - min(step.started_at for step in moments)
    return seconds.total_seconds()


def measure(bench: Bench, runs: int) -> list[Figure]:
    """Both ways in turn from the same state. Raises SystemExit where their tables differ."""
    ours: list[dict[str, float]] = []
    hand: list[float] = []
    for turn in range(runs):
        bench.begin_again()
        ours.append(bench.build(bench.last) | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20})
        hand.append(by_hand(bench, compare=turn == 0))
    data, dbt = median([run["models"] for run in ours]), median([run["dbt"] for run in ours])
    other = median(hand)
    return [
        Figure("models of the day, marts and segments", data),
        Figure("the same tables by hand-written SQL", other),
        Figure("ratio", data / other, "x", "<= 1.3"),
        Figure("dbt besides its models, two calls", dbt - data),
        Figure("peak memory", ours[0]["peak"], "GB"),  # of the process, before SQL by hand ran in it
    ]


def by_hand(bench: Bench, compare: bool) -> float:
    """Seconds of the hand-written day, on a copy that begins with what we had the day before."""
    day = f"date '{bench.last}'"
    path = bench.folder / "by_hand.duckdb"
    shutil.copyfile(bench.before, path)
    with duckdb.connect(str(path)) as engine:
        engine.execute(
            f"set threads = {bench.settings().threads}; set memory_limit = '{bench.memory}'; set TimeZone = 'UTC'"
        )
        engine.execute(f"attach '{bench.settings().warehouse_path}' as ours (read_only)")
        for table in TABLES:  # the same landed files, the last day's among them
            ((view,),) = engine.execute(
                "select sql from duckdb_views() where database_name = 'ours' and schema_name = 'raw' and view_name = ?",
                [table],
            ).fetchall()
            engine.execute(view.replace("CREATE VIEW", "create or replace view"))
        statements = (Path(__file__).parent / "by_hand.sql").read_text().format_map(hand_terms(engine, bench, day))
        engine.execute(HAND_STATE.format(day=day))
        started = time.perf_counter()
        engine.execute(statements)
        engine.execute("checkpoint")
        seconds = time.perf_counter() - started
        if compare:
            for left, right in PAIRS.items():
                check_equal(engine, f"ours.{left}", right)
    path.unlink()
    return seconds


HAND_STATE = """
create schema hand;
create table hand.totals as
    select * exclude (step_on, next_step_on, known_on, is_corrected) from intermediate.int_user_totals_summed where next_step_on is null;
create table hand.actions as
    select user_id, max_by(action_type, (acted_at, action_id)) as action_type, max(acted_at) as acted_at, max_by(outcome, (acted_at, action_id)) as outcome
    from raw.retention_action where _as_of < {day} group by user_id;
create table hand.adoption as
    select user_id, module, feature, max_by(cast(first_used_at as date), (last_used_at, landed_on)) as first_used_on,
        cast(max(last_used_at) as date) as last_used_on,
        max_by(usage_count, (last_used_at, landed_on)) as usage_count, max(last_used_at) as last_used_at
    from intermediate.int_feature_adoption_versions where sign > 0 group by all;
checkpoint;
"""


def hand_terms(engine: duckdb.DuckDBPyConnection, bench: Bench, day: str) -> dict[str, str]:
    """What the hand-written SQL repeats for many columns."""

    def typed(name: str, sql: str) -> str:
        return f"cast({sql} as {'decimal(18,2)' if name in MONEY else 'bigint'}) as {name}"

    described = [row[0] for row in engine.execute("describe marts.loyalty_history").fetchall()]
    tracked = [name for name in described if name not in ("user_id", "is_deleted", "valid_from", "valid_to")]
    windows = [
        (name, days)
        for name in ("login_count", "purchase_count", "feedback_count", "purchase_amount")
        for days in (7, 30, 90)
    ]
    windows += [
        (f"{name}_count", 30)
        for name in ("support_call", "support_chat", "service_request", "help_view", "repeat_engagement")
    ]
    named = [table for table in TABLES if table not in ("user_profile", "region_metadata", "region_thresholds")]
    return {
        "day": day,
        "profile_day": day,
        "sums": ", ".join(typed(name, f"coalesce(sum({name}), 0)") for name in MEASURES),
        "any": " or ".join(f"sum({name}) <> 0" for name in MEASURES),
        "total_sums": ", ".join(f"sum({name}) as {name}" for name in MEASURES),
        "added": ", ".join(typed(name, f"coalesce(t.{name}, 0) + coalesce(s.{name}, 0)") for name in MEASURES),
        "counts": ", ".join(typed(name, f"coalesce(t.{name}, 0)") for name in COUNTED),
        "differs": " or ".join(f"s.{name} is distinct from h.{name}" for name in tracked),
        "windows": ", ".join(
            typed(f"{name}_{days}d", f"sum(if(o > -{days}, {name}, 0))").replace(
                "bigint) as purchase_amount", "decimal(18,2)) as purchase_amount"
            )
            for name, days in windows
        ),
        "window_columns": ", ".join(f"coalesce(w.{name}_{days}d, 0) as {name}_{days}d" for name, days in windows),
        "present": ",".join(sorted(TABLES)),
        "oldest": day,
        "named": " union all ".join(
            f"select '{table}' as table_name, user_id from raw.{table} where _as_of = {day}" for table in named
        ),
    }


def check_equal(engine: duckdb.DuckDBPyConnection, left: str, right: str) -> None:
    """Count and sum of row hashes; where they differ, raises SystemExit with some rows that do."""
    columns = ", ".join(row[0] for row in engine.execute(f"describe {left}").fetchall())
    sums = [
        engine.execute(f"select count(*), sum(hash(one)) from (select {columns} from {table}) as one").fetchall()
        for table in (left, right)
    ]
    if sums[0] == sums[1]:
        return
    for first, second in ((left, right), (right, left)):
        extra = f"select {columns} from {first} except all select {columns} from {second}"
        rows = engine.execute(f"select * from ({extra}) limit 3").fetchall()
        if rows:
            raise SystemExit(f"{first} has rows that {second} has not, such as {rows}")


if __name__ == "__main__":
    main()

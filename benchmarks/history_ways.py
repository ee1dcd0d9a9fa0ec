"""Ways to keep the same history: ours and `dbt snapshot` through dbt, MERGE and UPDATE + INSERT by hand, and dlt's `scd2`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from history_world import PROJECT, TRACKED
from report import timed

from regulars.dbt_project import build_environment
from regulars.run_days import BuildDays
from regulars.settings import PROJECT_DIR, Settings

COLUMNS = ", ".join(["user_id", *TRACKED])
DIFFERS = " or ".join(f"fresh.{name} is distinct from held.{name}" for name in TRACKED)
LAST_KNOWN = ", ".join(
    f"case when fresh.user_id is null then held.{name} else fresh.{name} end as {name}" for name in TRACKED
)


@dataclass(frozen=True)
class Way:
    """`begin` makes the table of day 0 in an empty warehouse; `run` adds a day and says the seconds it took. Both read `world.states`."""

    name: str
    table: str
    begin: Callable[[duckdb.DuckDBPyConnection, date], object]
    run: Callable[[duckdb.DuckDBPyConnection, date], float]


def by_dbt(name: str, table: str, *command: str) -> Way:
    """A model or snapshot of `history_project`; seconds of its node, which dbt's own start is not part of."""

    def run(engine: duckdb.DuckDBPyConnection, day: date) -> float:
        engine.execute("create schema if not exists ops")
        engine.execute(f"""create or replace table ops.effective_batches as
            select 'members' as table_name, cast(day as date) as as_of from range(date '2026-01-01', date '{day}' + 1, interval 1 day) as r(day)""")
        parsed_project()
        (path,) = engine.execute(
            "select path from duckdb_databases() where database_name = 'warehouse'"
        ).fetchone() or ("",)
        os.environ["REGULARS_WAREHOUSE_PATH"] = path
        os.environ.update(build_environment(Settings(_env_file=None), BuildDays(as_of=day, first_day=day)))
        return call_dbt(*command)

    return Way(name, table, run, run)


def call_dbt(*command: str) -> float:
    from dbt.cli.main import dbtRunner

    done = dbtRunner(manifest=parsed_project()).invoke([*command, *places(), "--threads", "1"])
    if not done.success:
        raise SystemExit(f"dbt {' '.join(command)}: {done.exception or [one.message for one in done.result.results]}")
    return sum(one.execution_time for one in done.result.results)


@cache
def parsed_project() -> Any:
    """The manifest, which keeps the name of the database: every file is called warehouse.duckdb."""
    from dbt.cli.main import dbtRunner

    os.environ["REGULARS_WAREHOUSE_PATH"] = "warehouse.duckdb"
    return dbtRunner().invoke(["parse", *places(), "--no-partial-parse"]).result


def places() -> list[str]:
    target = str(PROJECT_DIR / ".regulars" / "benchmarks" / "history_target")
    given = ["--project-dir", PROJECT, "--profiles-dir", PROJECT_DIR / "dbt" / "warehouse", "--target-path", target]
    return [*map(str, given), "--log-path", target, "--log-level", "none", "--log-level-file", "none", "--quiet"]


def by_hand(name: str, *statements: str, table: str = "history") -> Way:
    """Bare SQL in one transaction. What changed is found once, by one join, and kept aside, as ours does."""

    def begin(engine: duckdb.DuckDBPyConnection, day: date) -> None:
        engine.execute(f"""create table {table} as select {COLUMNS}, false as is_deleted, date '{day}' as valid_from,
            cast(null as date) as valid_to from world.states""")

    def run(engine: duckdb.DuckDBPyConnection, day: date) -> float:
        parts = ["begin", CHANGED, *statements, "drop table changed", "commit"]
        return timed(lambda: [engine.execute(part.format(day=f"date '{day}'", table=table)) for part in parts])

    return Way(name, table, begin, run)


CHANGED = f"""create temp table changed as
    select coalesce(fresh.user_id, held.user_id) as user_id, {LAST_KNOWN}, fresh.user_id is null as is_deleted,
        {{day}} as valid_from, cast(null as date) as valid_to, held.valid_from as held_from
    from world.states as fresh
    full outer join (select * from {{table}} where valid_to is null) as held on fresh.user_id = held.user_id
    where (fresh.user_id is null and not held.is_deleted) or (fresh.user_id is not null and (held.user_id is null or held.is_deleted or {DIFFERS}))"""
CLOSE = """update {table} set valid_to = {day} from changed
    where changed.held_from is not null and {table}.user_id = changed.user_id and {table}.valid_to is null"""
OPEN = "insert into {table} select * exclude (held_from) from changed"
MERGE = f"""merge into {{table}} as history using (
        select user_id as closes, * exclude (held_from) from changed where held_from is not null
        union all select null, * exclude (held_from) from changed
    ) as changed on history.user_id = changed.closes and history.valid_to is null
    when matched then update set valid_to = {{day}}
    when not matched then insert ({COLUMNS}, is_deleted, valid_from, valid_to)
        values ({", ".join(f"changed.{name}" for name in ["user_id", *TRACKED])}, changed.is_deleted, changed.valid_from, null)"""
CLOSED = f"""create temp table closed as
    select {COLUMNS}, is_deleted, valid_from, {{day}} as valid_to from {{table}}
    where valid_to is null and user_id in (select user_id from changed)"""
TAKE_OUT = "delete from {table} where valid_to is null and user_id in (select user_id from changed)"

OURS = by_dbt("ours, recut", "marts.loyalty_history", "run", "--select", "loyalty_history")
# The same statements on the table that ours has after many days: what of a late day is the engine's own.
BY_HAND_LATE = by_hand("UPDATE + INSERT by hand", CLOSE, OPEN, table=OURS.table)
PEERS = (
    by_dbt("dbt snapshot, check", "snapshots.by_check", "snapshot", "--select", "by_check"),
    by_dbt("dbt snapshot, timestamp", "snapshots.by_timestamp", "snapshot", "--select", "by_timestamp"),
    by_hand("MERGE INTO by hand", MERGE),
    by_hand(
        "DELETE + INSERT by hand",
        CLOSED,
        TAKE_OUT,
        OPEN,
        "insert into {table} select * from closed",
        "drop table closed",
    ),
    by_hand("UPDATE + INSERT by hand", CLOSE, OPEN),
)


@dataclass(frozen=True)
class Dlt:
    """dlt's `scd2` with arrow batches through Parquet and a row hash that DuckDB computes; `folder` holds its pipeline and its file."""

    folder: Path
    world: Path
    name: str = "dlt scd2"

    def load(self, day: date) -> dict[str, float]:
        """Seconds of the load step (staging and merge) and of the whole run."""
        os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
        import dlt

        source = duckdb.connect(str(self.world), read_only=True)
        query = f"select {COLUMNS}, cast(hash({COLUMNS}) >> 1 as bigint) as row_hash from states"
        resource = dlt.resource(
            lambda: iter(source.execute(query).to_arrow_reader(500_000)),
            name="members",
            write_disposition={
                "disposition": "merge",
                "strategy": "scd2",
                "row_version_column_name": "row_hash",
                "boundary_timestamp": f"{day}T00:00:00Z",
            },
        )
        pipeline = dlt.pipeline(
            "history", pipelines_dir=str(self.folder / "pipelines"), dataset_name="dlt_data",
            destination=dlt.destinations.duckdb(str(self.folder / "dlt.duckdb")),
        )  # fmt: skip
        seconds = {"run": timed(lambda: pipeline.run(resource, loader_file_format="parquet"))}
        for step in pipeline.last_trace.steps:
            if step.step == "load":
                seconds["load"] = (step.finished_at - step.started_at).total_seconds()
        source.close()
        return seconds

    def rows(self) -> int:
        with duckdb.connect(str(self.folder / "dlt.duckdb"), read_only=True) as engine:
            return (engine.execute("select count(*) from dlt_data.members").fetchone() or (0,))[0]

    def copy_to(self, folder: Path) -> Dlt:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        return Dlt(folder, self.world)

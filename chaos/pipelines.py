"""The pipelines that every kind of fault is injected into: one entry in PIPELINES gives a pipeline all proofs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from chaos.tripwire import CommitPoint
from regulars.sample.load import load_day
from regulars.sample.spec import SampleSpec
from regulars.sample.tables import TABLES, sample_contracts
from regulars.sample.write import write_sample


@dataclass(frozen=True)
class Scenario:
    """A home as it was before the run that is hurt, and that run.

    `before` are the days (by number) that the home has seen, `days` those that the run that is hurt brings in, one
    after the other; `storage`: where landings and deliveries lie. `replays`: the run first replays the quarantine of
    one table and the first day, under a corrected mapping.
    """

    name: str
    before: tuple[int, ...] = (0,)
    days: tuple[int, ...] = (1,)
    source: str = "files"  # or postgres
    storage: str = "folder"  # or s3
    environment: Mapping[str, str] = field(default_factory=dict)
    replays: bool = False


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("first-day", before=(), days=(0,)),
        Scenario("second-day"),
        Scenario("two-days", days=(1, 2)),
        Scenario("retention", days=(2,), environment={"REGULARS_LANDING_RETENTION_DAYS": "1"}),
        Scenario("replay", replays=True),
        Scenario("postgres", source="postgres"),
        Scenario("s3", storage="s3"),
    )
}


@dataclass(frozen=True)
class Pipeline:
    """A flow and everything that the harness has to know about it.

    `flow` is run whole as `regulars run <name>` and, without Prefect, as the function `module:function`. `write_files`
    makes `<folder>/<table>/<day>.csv` of every day; `load_postgres(uri, day)` brings a server's databases to the
    evening of a day; `databases` says which table is in which. `replayed`: a table with rows in quarantine on the first
    day, and the mapping that mends them. `data_calls` are those that move or compute data; the rest of a run is overhead.
    """

    name: str
    flow: str
    days: tuple[date, ...]
    databases: Mapping[str, str]
    write_files: Callable[[Path], object]
    load_postgres: Callable[[str, date], object]
    replayed: tuple[str, Mapping[str, str]]
    commit_points: tuple[CommitPoint, ...]
    data_calls: tuple[str, ...]


ENGINE = "regulars.warehouse.duckdb.DuckDBWarehouse"
FOLDER = "regulars.storage.FolderStorage"
COMMIT_POINTS = (
    CommitPoint("file put in its place", f"{FOLDER}.put_file", scenarios=("first-day", "second-day", "retention")),
    CommitPoint(
        "manifest of a batch",
        "regulars.manifest.write_manifest",
        scenarios=("first-day", "second-day", "replay", "retention"),
    ),
    CommitPoint("file renamed", f"{FOLDER}._settle"),
    CommitPoint("failure or checks recorded", f"{ENGINE}.record", argument="dq_check_logs"),
    CommitPoint(
        "view of rows, not yet of rejects", "regulars.warehouse.duckdb.quarantine_view", scenarios=("first-day",)
    ),
    CommitPoint("ledger row, not yet its view", f"{ENGINE}._point_views", scenarios=("first-day", "second-day")),
    CommitPoint("ledger row and view", f"{ENGINE}.execute", argument="commit", scenarios=("second-day", "retention")),
    CommitPoint("dbt commit", "dbt.adapters.duckdb.connections.DuckDBConnectionManager.commit", every=True),
    CommitPoint("built batches remembered", "regulars.run_days.remember_built"),
    CommitPoint("parsed project kept", "pathlib.Path.replace", "partial_parse.msgpack", ("first-day",)),
    CommitPoint("what is proven kept", "regulars.proofs.Proofs.keep", every=True),
    CommitPoint("what is proven forgotten", "regulars.proofs.Proofs.forget"),
    CommitPoint("freshness recorded", f"{ENGINE}.replace_records", argument="freshness"),
    CommitPoint("views of the published copy", "regulars.warehouse.duckdb_publish._recreate_views"),
    CommitPoint("published copy renamed", "os.replace", argument="published.duckdb"),
    CommitPoint("members of a segment selected", "regulars.segments.job.select_members"),
    CommitPoint("manifest of landing or delivery", f"{FOLDER}.write_bytes", argument="manifest.json"),
    CommitPoint("delivery ledger row", f"{ENGINE}.record_missing"),
    CommitPoint("data docs", "regulars.quality.data_docs.DataDocs.build"),
    CommitPoint("run recorded", f"{ENGINE}.replace_records", argument="runs"),
    CommitPoint("emptied file of retention", "regulars.retention._rewrite", scenarios=("retention",)),
    CommitPoint("ledger of retention", f"{ENGINE}.unload", scenarios=("retention",)),
    CommitPoint("deletion by retention", f"{FOLDER}.delete_tree", scenarios=("retention",)),
    CommitPoint("quarantine replayed", "regulars.manifest.commit_batch", scenarios=("replay",)),
    CommitPoint("replayed rows in the ledger", f"{ENGINE}.load", scenarios=("replay",)),
)
DATA_CALLS = (
    "regulars.landing.land",
    f"{ENGINE}.load",
    f"{ENGINE}.publish",
    "dbt.adapters.sql.connections.SQLConnectionManager.add_query",
    "regulars.quality.gates._run_suite",
    "regulars.segments.delivery.deliver",
    "regulars.retention.retire",
)


def daily_loyalty_merge(users: int) -> Pipeline:
    """Thirteen departmental tables of the sample, with its planted faults."""
    spec = SampleSpec(users=users, days=3, seed=11, start=date(2026, 1, 5))
    return Pipeline(
        name="daily-loyalty-merge",
        flow="flows.loyalty:daily_loyalty_merge",
        days=tuple(spec.all_days()),
        databases={table: sample_contracts()[table].source for table in TABLES},
        write_files=lambda folder: write_sample(spec, folder),
        load_postgres=lambda uri, day: load_day(spec, day, uri),
        replayed=("engagement_score", {"engagement_score": "least(try_cast(engagement_score as double), 100)"}),
        commit_points=COMMIT_POINTS,
        data_calls=DATA_CALLS,
    )


PIPELINES: dict[str, Callable[[int], Pipeline]] = {"daily-loyalty-merge": daily_loyalty_merge}

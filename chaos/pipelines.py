"""The pipelines that every kind of fault is injected into: one entry in PIPELINES gives a pipeline all proofs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from chaos.tripwire import CommitPoint
from regulars.engine import quote
from regulars.sample.draws import sample_engine
from regulars.sample.load import load_day
from regulars.sample.shop import ShopSpec, load_evening
from regulars.sample.shop.load import DATABASE, evening_rows, shop_contracts
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
    `late_imports` are modules that a run imports when it comes to them, `first_load` more parameters of a home's first run.
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
    late_imports: tuple[str, ...] = ()
    first_load: Mapping[str, object] = field(default_factory=dict)


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
DELIVERED = {"members of a segment selected", "manifest of landing or delivery", "delivery ledger row"}
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


# What the shop's refresh commits besides what every flow does: nothing is delivered, results and findings are.
SHOP_POINTS = (
    *(point for point in COMMIT_POINTS if not set(point.scenarios) & {"retention"} and point.name not in DELIVERED),
    CommitPoint("results put back into the engine", "regulars.results.store_result", every=True),
    CommitPoint("digest of a result", f"{ENGINE}.record", argument="stored_results"),
    CommitPoint("findings recorded", f"{ENGINE}.replace_records", argument="findings"),
    CommitPoint("findings as a file", "pathlib.Path.replace", argument=".json"),
    CommitPoint("picture", "pathlib.Path.replace", argument=".svg"),
)


def weekly_customer_analytics(users: int) -> Pipeline:
    """The shop's five tables on the evening after a week of planted faults, in the middle of the next week, and at its end."""
    spec = ShopSpec(customers=users, products=max(24, users // 20), orders_per_day=max(25, users // 20), weeks=10)
    _, first, last = spec.evenings
    days = (first, first + timedelta(days=3), last)

    def write_files(folder: Path) -> None:
        engine = sample_engine()
        for evening in days:
            for table, contract in shop_contracts().items():
                path = folder / table / f"{evening}.csv"
                path.parent.mkdir(parents=True, exist_ok=True)
                rows = evening_rows(spec, contract, evening)
                engine.execute(f"copy ({rows}) to {quote(str(path))} (format csv, header true)")
        engine.close()

    return Pipeline(
        name="weekly-customer-analytics",
        flow="flows.sales:weekly_customer_analytics",
        days=days,
        databases=dict.fromkeys(shop_contracts(), DATABASE),
        write_files=write_files,
        load_postgres=lambda uri, day: load_evening(spec, day, uri),
        replayed=("order_items", {"unit_price": "try_cast(unit_price as decimal(12, 4))"}),
        commit_points=SHOP_POINTS,
        data_calls=(*DATA_CALLS, "regulars.results.store_result"),
        late_imports=("regulars.insights", "regulars.charts.gallery"),
        first_load={"since": spec.start},
    )


PIPELINES: dict[str, Callable[[int], Pipeline]] = {
    "daily-loyalty-merge": daily_loyalty_merge,
    "weekly-customer-analytics": weekly_customer_analytics,
}

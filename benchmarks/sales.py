"""The weekly refresh of a shop beside SQL written by hand (`sales_by_hand.sql`, `findings_by_hand.sql`), on DuckDB.

python benchmarks/sales.py [order lines, default 10000000] [--weeks 104] [--folder FOLDER] [--runs 3] [--memory 4GB]

Two years of orders land as one batch a table and are built at once; then a week of daily batches is landed and built on top. Ours is what
dbt spends in models of the stage `sales`; by hand is the same tables from the same landed files. The quality step is the models that judge
every line, up to the mart `anomalies`. Figures of tables must be equal, or there is no figure.
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

from regulars.build_state import build_state, models_in_place
from regulars.contracts import read_contracts
from regulars.dbt_project import build_arguments, build_environment, raise_if_failed, read_results
from regulars.engine import quote
from regulars.landing import land
from regulars.manifest import committed_manifests
from regulars.run import Run
from regulars.run_days import BuildDays, remember_built
from regulars.sample.draws import sample_engine
from regulars.sample.shop import ShopSpec, rows
from regulars.sample.shop.load import TABLES, evening_rows
from regulars.settings import Settings
from regulars.sources.config import read_sources
from regulars.stages import read_stages
from regulars.storage import open_storage
from regulars.warehouse import open_warehouse

AT = datetime(2026, 6, 1)
LINES_PER_ORDER = 2.99
QUALITY = ("int_line_statistics", "int_odd_lines", "int_line_findings", "anomalies")
SAME = {  # ours, by hand, figures that must be equal
    ("marts.fact_order_items", "hand.lines"): "count(*), sum(quantity), sum(total_amount), count(distinct customer_key), count(distinct product_key)",
    ("marts.fact_orders", "hand.orders"): "count(*), sum(net_amount), sum(gross_amount), sum(imputed_line_count), count(distinct customer_key)",
    ("marts.daily_sales", "hand.daily"): "count(*), sum(net_amount), sum(customer_count)",
    ("marts.product_category_sales", "hand.categories"): "count(*), sum(net_amount), sum(sold_quantity)",
    ("marts.rfm_segments", "hand.rfm"): "count(*), sum(recency_score), sum(frequency_score), sum(monetary_score)",
    ("marts.customer_cohorts", "hand.cohorts"): "count(*), sum(active_customer_count), sum(net_amount)",
    ("marts.top_customers", "hand.top"): "count(*), sum(net_amount), sum(order_count)",
    ("marts.customer_features", "hand.features"): "count(*), sum(order_count), sum(order_count_90d), sum(order_count_prior_90d), sum(net_amount), "
    "sum(net_amount_90d), sum(net_amount_prior_90d), sum(recency_days), sum(tenure_days), sum(category_count), "
    + ", ".join(f"round(avg({name}::double), 5)" for name in (
        "order_count_trend", "net_amount_trend", "average_order_amount", "average_order_lines", "average_order_quantity", "return_share",
        "cancellation_share", "days_between_orders", "days_between_orders_variation", "favourite_category_share", "category_concentration",
    )),
    ("marts.customer_360", "hand.customer_360"): "count(*), sum(net_amount), count(favourite_category_id), min(favourite_category_id)",
}  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("lines", nargs="?", type=int, default=10_000_000)
    options.add_argument("--weeks", type=int, default=104)
    options.add_argument("--folder", type=Path, default=None, help="kept, and used again by a later call")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--memory", default="4GB")
    given = options.parse_args()
    per_day = max(20, round(given.lines / LINES_PER_ORDER / (given.weeks * 7) / 1.26))  # growth and weekdays on top
    spec = ShopSpec(
        customers=max(20, given.lines // 50), products=5000 if given.lines > 1_000_000 else 200, orders_per_day=per_day,
        weeks=given.weeks, start=date(2024, 1, 1), faults=False,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as made:
        bench = Bench(spec, given.folder or Path(made), given.memory)
        bench.prepare()
        show("sales", measure(bench, given.runs), machine_facts(lines=given.lines, weeks=given.weeks, seed=spec.seed))


@dataclass(frozen=True)
class Bench:
    """A shop in a folder: its landings, `empty.duckdb` with the history loaded, `before.duckdb` with it built as well."""

    spec: ShopSpec
    folder: Path
    memory: str

    def settings(self) -> Settings:
        return Settings(
            _env_file=None, home=self.folder / "home", pseudonym_key="benchmark", sources=self.folder / "sources.yml", memory_limit=self.memory
        )  # fmt: skip

    def prepare(self) -> None:
        """Land the history and the week after it, unless an earlier call did."""
        if (self.folder / "empty.duckdb").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        entries = "\n".join(f'  {table}: {{from: files, path: "{table}/{{as_of}}.parquet"}}' for table in TABLES)
        place = self.folder / "sources"
        (self.folder / "sources.yml").write_text(
            f"connections:\n  files: {{kind: files, path: {place}}}\ntables:\n{entries}\n"
        )
        settings = self.settings()
        contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
        sources = read_sources(settings.sources_path, contracts)
        engine = sample_engine(memory_limit="2GB")
        history, _, _ = self.spec.evenings
        for day in [history, *(history + timedelta(days=n) for n in range(1, 8))]:
            for table in TABLES:
                path = place / table / f"{day}.parquet"
                path.parent.mkdir(parents=True, exist_ok=True)
                engine.execute(
                    f"copy ({self._delivered(table, contracts[table], day)}) to {quote(str(path))} (format parquet)"
                )
                land(contracts[table], sources, settings, Run("benchmark", "benchmark", day, AT), accept=True)
                path.unlink()
            print(f"landed {day}", flush=True)
        self.load(history)
        shutil.copyfile(settings.warehouse_path, self.folder / "empty.duckdb")

    def _delivered(self, table: str, contract: Any, day: date) -> str:
        """What the shop sends on a day: all of it on the last of the history, then what changed in the last four days."""
        query = evening_rows(self.spec, contract, day)
        index = self.spec.index_of(day)
        since = f"timestamp '{day - timedelta(days=3)}'"
        if day > self.spec.evenings[0] and table == "orders":
            query = f"select * from ({rows.orders(self.spec, index - 40, index)}) where updated_at >= {since}"
        elif day > self.spec.evenings[0] and table == "order_items":
            query = rows.order_items(self.spec, index - 3, index)
        elif day > self.spec.evenings[0]:
            query = f"select * from ({query}) where cast(updated_at as timestamp) >= {since}"
        return f"select {', '.join(contract.by_name)} from ({query})"

    def load(self, until: date) -> None:
        """Make what is landed up to a day visible in `raw`."""
        settings = self.settings()
        contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
        with open_warehouse(settings) as warehouse:
            warehouse.prepare(contracts)
            storage = open_storage(settings.landing_root, settings.s3)
            for table in TABLES:
                found = committed_manifests(storage, table, skip=warehouse.known_batches(table))
                warehouse.load(
                    contracts[table], [one for one in found if one.as_of <= until], Run("b", "b", until, AT), AT
                )

    def build(self, days: BuildDays) -> dict[str, float]:
        """One dbt run of stage `sales`: seconds in models by name, and of the whole."""
        from dbt.cli.main import dbtRunner

        settings = self.settings()
        contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
        stage = read_stages(settings.dbt_project_dir, contracts)["sales"]
        target = settings.home_dir / "dbt"
        target.mkdir(parents=True, exist_ok=True)
        with open_warehouse(settings) as warehouse:
            state = build_state(warehouse, settings, stage, days, "")
            os.environ.update(warehouse.dbt_environment() | build_environment(settings, days) | state.environment())
            arguments = build_arguments(
                settings,
                target_path=target,
                with_tests=False,
                select=[*stage.select, "anomalies"],
                exclude=models_in_place(warehouse, state),
            )
            arguments[arguments.index("--threads") + 1] = "1"  # one model after the other: their seconds add up
            outcome = dbtRunner().invoke([*arguments, "--quiet", "--log-level", "none"])
            raise_if_failed(read_results(outcome, days))
            remember_built(warehouse, stage, days.as_of)
        return {result.node.name: float(result.execution_time) for result in outcome.result.results}


def measure(bench: Bench, runs: int) -> list[Figure]:
    """Both ways in turn. Raises SystemExit where their tables differ."""
    history, last, _ = bench.spec.evenings
    path = bench.settings().warehouse_path
    full, week, hand, quality, hand_quality = [], [], [], [], []
    peak = 0.0
    for turn in range(runs):
        shutil.copyfile(bench.folder / "empty.duckdb", path)
        bench.load(history)
        seconds = bench.build(BuildDays(history, history))
        full.append(sum(spent for name, spent in seconds.items() if name not in QUALITY))
        quality.append(sum(seconds[name] for name in QUALITY))
        if turn == 0:
            print(
                "\n".join(
                    f"{name:<28} {spent:6.2f} s"
                    for name, spent in sorted(seconds.items(), key=lambda one: -one[1])[:14]
                )
            )
        peak = peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        spent_by_hand, spent_on_findings = by_hand(bench, history)
        hand.append(spent_by_hand)
        hand_quality.append(spent_on_findings)
        bench.load(last)
        seconds = bench.build(BuildDays(history + timedelta(days=1), last))
        week.append(sum(spent for name, spent in seconds.items() if name not in QUALITY))
        if turn == 0:
            print(
                "\n".join(
                    f"{name:<28} {spent:6.2f} s"
                    for name, spent in sorted(seconds.items(), key=lambda one: -one[1])[:14]
                )
            )
    return [
        Figure("the shop's tables and marts, built at once", median(full)),
        Figure("the same tables by hand-written SQL", median(hand)),
        Figure("ratio", median(full) / median(hand), "x", "<= 1.5"),
        Figure("a week on top of it", median(week)),
        Figure("share of the full build", median(week) / median(full), "x", "<= 0.1"),
        Figure("judging every line", median(quality)),
        Figure("the same findings by hand-written SQL", median(hand_quality)),
        Figure("ratio of judging", median(quality) / median(hand_quality), "x", "<= 1.3"),
        Figure("peak memory", peak, "GB"),
    ]


def by_hand(bench: Bench, day: date) -> tuple[float, float]:
    """Seconds of the hand-written tables and of the hand-written findings, which must be those of our tables."""
    path = bench.folder / "by_hand.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as engine:
        engine.execute(
            f"set threads = {bench.settings().threads}; set memory_limit = '{bench.memory}'; set TimeZone = 'UTC'"
        )
        engine.execute(f"attach '{bench.settings().warehouse_path}' as ours (read_only)")
        engine.execute(
            "create schema raw; create schema marts; create view marts.fact_order_items as from ours.marts.fact_order_items"
        )
        for table in TABLES:
            ((view,),) = engine.execute(
                "select sql from duckdb_views() where database_name = 'ours' and schema_name = 'raw' and view_name = ?",
                [table],
            ).fetchall()
            engine.execute(view)
        here = Path(__file__).parent
        started = time.perf_counter()
        engine.execute((here / "sales_by_hand.sql").read_text().replace("{day}", f"date '{day}'"))
        engine.execute("checkpoint")
        made = time.perf_counter()
        engine.execute((here / "findings_by_hand.sql").read_text())
        engine.execute("checkpoint")
        judged = time.perf_counter()
        for (ours, theirs), figures in SAME.items():
            pair = [engine.execute(f"select {figures} from {table}").fetchall() for table in (f"ours.{ours}", theirs)]
            if pair[0] != pair[1]:
                raise SystemExit(f"{ours} and {theirs} differ in {figures}: {pair}")
        found = "select rule, count(*), count(lower_bound), round(sum(observed), 4), round(sum(score), 2) from {} group by rule order by rule"
        pair = [
            engine.execute(found.format(table)).fetchall()
            for table in ("ours.marts.anomalies where table_name = 'order_items'", "hand.findings")
        ]
        if pair[0] != pair[1]:
            raise SystemExit(f"findings differ: {pair}")
    path.unlink()
    return made - started, judged - made


if __name__ == "__main__":
    main()

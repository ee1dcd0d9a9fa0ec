"""All suites of a day beside one SQL statement per table that computes the same numbers, and beside pandas.

python benchmarks/gates.py [users] [--folder F] [--runs 5]     (default 1,000,000 users)

The warehouse is the real one: four days of `world.py`, landed, loaded and built. "By hand" is what a person would write
who knows the rules: one SELECT per table with all measures in it, whose numbers nobody judges, records or explains. The
time of the gates is split into that of their queries and that of Great Expectations around them. Pandas gets the same
rows as frames, and those rules that Great Expectations has for them ready-made.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
import great_expectations as gx
from day import Bench
from report import Figure, interleaved, machine_facts, show
from sqlalchemy import Engine, event
from world import World

from regulars.contracts import read_contracts
from regulars.quality import gates
from regulars.quality.measures import ExpectMeasureToBeBetween, ExpectNoRows, ExpectQueryToBeBetween, ExpectRowsToHold
from regulars.quality.suites import SuiteContext, effective_batches, list_suites, load_suite, suite_context
from regulars.run import Run

DAYS = 4
LAYERS = ("raw", "marts")
BATCH = "batch"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("users", nargs="?", type=lambda text: int(text.replace("_", "")), default=1_000_000)
    options.add_argument("--folder", type=Path, default=None, help="kept, and used again by a later call")
    options.add_argument("--runs", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as made:
        bench = Bench(World(given.users, DAYS), given.folder or Path(made), "8GB")
        bench.prepare()
        bench.begin_again()
        bench.build(bench.last)
        figures = [figure for layer in LAYERS for figure in measure(bench, layer, given.runs)]
        show("gates", figures, machine_facts(users=given.users, runs=given.runs))


def measure(bench: Bench, layer: Any, runs: int) -> list[Figure]:
    settings = bench.settings()
    contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
    run = Run("benchmark", "benchmark", bench.last, datetime(2026, 6, 1))
    suites = [Plan(bench, layer, table) for table in list_suites(layer)]
    spent: list[float] = []

    def gate() -> None:
        with query_seconds() as queries:
            result = gates.run_gate(layer, list_suites(layer), settings=settings, run=run, contracts=contracts)
        if failed := [check.describe() for check in result.checks if check.status == "error"]:
            raise SystemExit("\n".join(failed))
        spent.append(sum(queries))

    def by_hand() -> None:
        with bench_engine(bench) as engine:
            for suite in suites:
                engine.execute(suite.statement).fetchall()

    def in_pandas() -> None:
        with bench_engine(bench) as engine:
            for suite in suites:
                suite.judge_frame(engine)

    gate()  # the first one also imports
    spent.clear()
    seconds = interleaved(runs, gate=gate, by_hand=by_hand)
    pandas = interleaved(1, pandas=in_pandas)["pandas"]
    queries = sorted(spent)[len(spent) // 2]
    rules, framed = (sum(len(names) for names in found) for found in
                     ([suite.expectations for suite in suites], [suite.ready_made for suite in suites]))  # fmt: skip
    return [
        Figure(f"{layer}: gate, {len(suites)} suites with {rules} rules", seconds["gate"]),
        Figure(f"{layer}: its queries", queries),
        Figure(f"{layer}: one SQL statement per table", seconds["by_hand"]),
        Figure(f"{layer}: queries against by hand", queries / seconds["by_hand"], "x", "<= 2"),
        Figure(
            f"{layer}: gate against by hand, start and bookkeeping included", seconds["gate"] / seconds["by_hand"], "x"
        ),
        Figure(f"{layer}: bookkeeping per rule", (seconds["gate"] - queries) / rules * 1000, "ms"),
        Figure(f"{layer}: pandas, {framed} ready-made rules", pandas),
    ]


@contextmanager
def query_seconds() -> Iterator[list[float]]:
    """Seconds of each statement that Great Expectations sends."""
    found: list[float] = []
    begun: list[float] = []

    def before(*_: Any) -> None:
        begun.append(perf_counter())

    def after(*_: Any) -> None:
        found.append(perf_counter() - begun.pop())

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)


@contextmanager
def bench_engine(bench: Bench) -> Iterator[duckdb.DuckDBPyConnection]:
    settings = bench.settings()
    with duckdb.connect(str(settings.warehouse_path)) as engine:
        engine.execute(f"set threads = {settings.threads}; set TimeZone = 'UTC'")
        yield engine


class Plan:
    """One suite as the SQL statement that a person would write, and as what pandas can do of it."""

    def __init__(self, bench: Bench, layer: Any, table: str) -> None:
        settings = bench.settings()
        contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
        with bench_engine(bench) as engine:
            batches = engine.execute(effective_batches(bench.last)).fetchall()
        context: SuiteContext = suite_context(batches, table, bench.last, contracts, settings)
        suite = load_suite(layer, table)
        self.name, self.rows = f"{layer}.{table}", suite.rows(context)
        self.expectations = suite.build(context).expectations
        self.keys = context.key_columns or suite.keys
        terms = dict.fromkeys(term for one in self.expectations for term in in_sql(one))
        self.statement = f"with {BATCH} as ({self.rows}) select count(*), {', '.join(terms)} from {BATCH}"
        self.ready_made = [
            one for one in self.expectations if type(one).__module__.startswith("great_expectations")
        ] + ([gx.expectations.ExpectCompoundColumnsToBeUnique(column_list=list(self.keys))] if len(self.keys) > 1 else
             [gx.expectations.ExpectColumnValuesToBeUnique(column=key) for key in self.keys])  # fmt: skip

    def judge_frame(self, engine: duckdb.DuckDBPyConnection) -> None:
        """The batch as a frame, and its ready-made rules over it."""
        frame = engine.execute(self.rows).df()
        context = gates.new_context()
        with gates.quiet():
            batch = context.data_sources.pandas_default.read_dataframe(frame)
            batch.validate(gx.ExpectationSuite(name=self.name, expectations=[one.copy(update={"id": None}) for one in self.ready_made]))  # fmt: skip


def in_sql(one: Any) -> list[str]:
    """The numbers that an expectation needs, as terms of one SELECT over the batch."""
    if isinstance(one, ExpectRowsToHold):
        return [f"count(case when ({one.condition}) is not null then 1 end)", f"count(case when not ({one.condition}) then 1 end)"]  # fmt: skip
    if isinstance(one, ExpectMeasureToBeBetween):
        return [one.measure]
    if isinstance(one, ExpectQueryToBeBetween):
        return [f"({one.query.replace('{batch}', BATCH)})"]
    if isinstance(one, ExpectNoRows):
        return [f"(select count(*) from ({one.unexpected_rows_query.replace('{batch}', BATCH)}))"]
    kind = type(one).__name__
    if kind == "ExpectColumnMeanToBeBetween":
        return [f"avg({one.column})"]
    if kind == "ExpectColumnProportionOfUniqueValuesToBeBetween":
        return [f"cast(count(distinct {one.column}) as double) / nullif(count({one.column}), 0)"]
    if kind == "ExpectColumnProportionOfNonNullValuesToBeBetween":
        return [f"count({one.column})"]
    if kind == "ExpectTableRowCountToBeBetween":
        return ["count(*)"]
    if kind == "ExpectCompoundColumnsToBeUnique":
        names = ", ".join(one.column_list)
        return [f"(select count(*) from (select {names} from {BATCH} group by {names} having count(*) > 1))"]
    raise SystemExit(f"benchmarks/gates.py knows no SQL for {kind}")


if __name__ == "__main__":
    main()

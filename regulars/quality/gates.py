"""Gates: run the suites of a layer inside the engine and say what passed. Nothing is written to the warehouse here."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from regulars.contracts import Contract
from regulars.errors import ConfigError
from regulars.quality.checks import Check, GateResult
from regulars.quality.results import Query, Recorder
from regulars.quality.suites import (
    Layer,
    Suite,
    SuiteContext,
    effective_batches,
    list_suites,
    load_suite,
    suite_context,
)
from regulars.run import Run
from regulars.settings import Settings
from regulars.warehouse.duckdb import DuckDBWarehouse

if TYPE_CHECKING:
    from regulars.quality.data_docs import DataDocs

NUMBERS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}
one_at_a_time = threading.RLock()  # Great Expectations keeps its context in a global of the process

Known = Callable[[str, SuiteContext], Sequence[Check]]


def nothing_known(table: str, facts: SuiteContext) -> Sequence[Check]:
    """No suite has been judged before."""
    return ()


@dataclass(frozen=True)
class GateSource:
    """An engine that Great Expectations can read: `add` makes its data source in a context, `query` asks small things."""

    add: Callable[[Any], Any]
    query: Query


def run_gate(
    layer: Layer,
    tables: Iterable[str],
    *,
    settings: Settings,
    run: Run,
    contracts: Mapping[str, Contract],
    docs: DataDocs | None = None,
    known: Known = nothing_known,
) -> GateResult:
    """Checks of the suites of `tables` (those of them that have one) for `run.as_of`, in that order.

    A suite of `sheets` looks at the table of the operational store as it is. A raw suite looks at the effective batches of the
    day; a table without any is `skipped`, and so are the rules of an empty one that say nothing about emptiness. A rule
    that cannot be computed is an `error`, which blocks. Raises only where the warehouse cannot be read at all. Results
    are added to `docs`; the caller records and decides.
    Where `known(table, facts)` gives checks of an earlier run over equal facts, these are said again, and no suite runs.
    """
    chosen = [table for table in tables if table in list_suites(layer)]
    checks: list[Check] = []
    with one_at_a_time, open_source(settings, run, layer) as source, ExitStack() as opened:
        batches = source.query(effective_batches(run.as_of))
        facts = {table: suite_context(batches, table, run.as_of, contracts, settings) for table in chosen}
        repeated = {table: known(table, facts[table]) for table in chosen}
        datasource = None
        if not all(repeated.values()):
            opened.enter_context(quiet())
            datasource = opened.enter_context(_datasource(source))
        for table in chosen:
            recorder = Recorder(layer, table, run, source.query)
            seen = facts[table].visible.get(table)
            if repeated[table]:
                found, result = [recorder.repeated(check) for check in repeated[table]], None
            elif layer == "raw" and (seen is None or seen.as_of != run.as_of):
                newest = f"the newest is of {seen.as_of}" if seen else "none has ever landed"
                found, result = [recorder.skipped("suite", f"no batch of {run.as_of}: {newest}")], None
            else:
                found, result = _run_suite(datasource, layer, table, facts[table], recorder)
            checks += found
            if docs is not None:
                docs.add(found, result)
    return GateResult(layer, run.as_of, tuple(checks), facts)


def _run_suite(
    datasource: Any, layer: Layer, table: str, facts: SuiteContext, recorder: Recorder
) -> tuple[list[Check], Any]:
    """Checks of one suite and its result; whatever goes wrong in making or running it is a check that blocks."""
    import great_expectations as gx

    try:
        suite: Suite = load_suite(layer, table)
        recorder.rows = rows = suite.rows(facts)
        recorder.keys = suite.keys or facts.key_columns
        count = recorder.count()
        built = suite.build(facts)
        expectations = [one for one in built.expectations if count or one.meta["on_empty"]]
        skipped = [
            recorder.skipped(one.meta["check"], "no rows")
            for one in built.expectations
            if not count and not one.meta["on_empty"]
        ]
        if not expectations:
            return skipped, None
        # No validation definition: it would put suite and result into stores of a context that ends with the gate.
        asset = datasource.add_query_asset(f"{layer}.{table}", query=rows)
        batch = asset.get_batch(asset.build_batch_request())
        found = batch.validate(
            gx.ExpectationSuite(name=built.name, expectations=expectations), result_format=NUMBERS_ONLY
        )
        found.meta["run_id"] = recorder.run_identifier()
    except Exception as error:
        return [recorder.broken("suite", error)], None
    by_name = {one.expectation_config.meta["check"]: one for one in found.results}
    names = [one.meta["check"] for one in expectations]
    done = [recorder.judged(by_name[name]) for name in names if name in by_name]
    lost = [recorder.broken(name, RuntimeError("it gave no result")) for name in names if name not in by_name]
    return [*done, *lost, *skipped], found


@contextmanager
def open_source(settings: Settings, run: Run, layer: Layer) -> Iterator[GateSource]:
    """The warehouse, or for sheets the operational store, open while the block runs and no longer.

    Raises TransientError where it cannot be opened.
    """
    if layer == "sheets":
        from regulars.postgres.store import open_store
        from regulars.quality.store_source import add_store

        with open_store(settings) as connection:
            yield GateSource(partial(add_store, settings), lambda sql: connection.execute(sql.encode()).fetchall())
        return
    if settings.warehouse == "snowflake":
        from regulars.quality.snowflake_source import add_snowflake
        from regulars.warehouse.snowflake_session import SnowflakeSessions

        # Sessions only: the run that is judged holds the warehouse's lock.
        with SnowflakeSessions(settings.snowflake, run, "gates") as sessions:
            yield GateSource(partial(add_snowflake, sessions), sessions.query)
        return
    from regulars.quality.duckdb_dialect import DRIVER, register_dialect

    if not settings.warehouse_path.exists():
        raise ConfigError(
            f"there is no warehouse at {settings.warehouse_path}",
            remedy="run a flow that loads it, or set REGULARS_HOME",
        )
    register_dialect()
    url = f"{DRIVER}:///{settings.warehouse_path}"
    with DuckDBWarehouse(settings) as warehouse:
        yield GateSource(
            lambda context: context.data_sources.add_sql("warehouse", connection_string=url), warehouse.query
        )


@contextmanager
def _datasource(source: GateSource) -> Iterator[Any]:
    """A data source of Great Expectations in a context in memory; its connections are closed at the end."""
    context = new_context()
    datasource = source.add(context)
    try:
        yield datasource
    finally:
        datasource.get_execution_engine().close()
        datasource.get_engine().dispose()


@contextmanager
def quiet() -> Iterator[None]:
    """Great Expectations logs tracebacks of failing metrics and warns about itself; a check reports them instead."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def new_context() -> Any:
    """A Great Expectations context that lives in memory, reports nothing to anyone and shows no progress bars."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # versions before 1.24 ask for it here too
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
    )
    return gx.get_context(project_config=config, mode="ephemeral")

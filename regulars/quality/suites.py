"""What a suite is given, and how suites are found: `expectations/<layer>/<table>.py`, by their names."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median
from types import ModuleType
from typing import Any, Literal

from regulars.batches import BusinessDay
from regulars.contracts import IDENTIFIERS, Contract
from regulars.engine import quote
from regulars.errors import ConfigError
from regulars.settings import PROJECT_DIR, Settings

Layer = Literal["sheets", "raw", "marts"]
SCHEMAS: Mapping[Layer, str] = {"sheets": "raw", "raw": "raw", "marts": "marts"}  # sheets: of the operational store
EARLIER_DAYS = 7
ENOUGH_DAYS = 3  # with fewer earlier days there is nothing to compare with


@dataclass(frozen=True)
class Visible:
    """The effective batches of one table that are newest at a business date."""

    as_of: date
    batch_ids: tuple[str, ...]
    rows: int


@dataclass(frozen=True)
class SuiteContext:
    """What a suite may depend on.

    `population` is the raw table of all members. `visible` maps raw tables to their newest state at `as_of`. Of the
    suite's own table, `earlier_rows` are the rows of up to seven earlier landed days, newest first, and `before` is
    the state before the day.
    """

    as_of: date
    day: BusinessDay
    contract: Contract | None = None
    population: str | None = None
    visible: Mapping[str, Visible] = field(default_factory=dict)
    earlier_rows: tuple[int, ...] = ()
    before: Visible | None = None

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The key as it may be shown: an identifying column by its pseudonym, any other personal one not at all."""
        shown = (self.contract.by_name[name] for name in self.contract.key) if self.contract else ()
        return tuple(column.pseudonym or column.name for column in shown if not column.pii or column.pii in IDENTIFIERS)

    @property
    def usual_rows(self) -> float | None:
        """Median rows of the earlier days, or None where there are too few of them."""
        return float(median(self.earlier_rows)) if len(self.earlier_rows) >= ENOUGH_DAYS else None

    def visible_rows(self, table: str, columns: str) -> str:
        """SELECT of `columns` from the newest state of `raw.<table>`, or of no row where nothing of it has landed."""
        seen = self.visible.get(table)
        return self.rows_of(table, seen, columns) if seen else f"select {columns} from raw.{table} where 1 = 0"

    def rows_of(self, table: str, state: Visible, columns: str) -> str:
        """SELECT from one state; its date and batches are literals, so that an engine reads those files only."""
        batches = ", ".join(quote(batch_id) for batch_id in state.batch_ids)
        return f"select {columns} from raw.{table} where _as_of = date '{state.as_of}' and _batch_id in ({batches})"


@dataclass(frozen=True)
class Suite:
    """A suite module. `build(context)` gives the expectations, `rows(context)` the SELECT that they look at."""

    layer: Layer
    table: str
    build: Callable[[SuiteContext], Any]
    rows: Callable[[SuiteContext], str]
    keys: tuple[str, ...] = ()  # columns that may be shown of a failing row; of a raw table the contract's key


def list_suites(layer: Layer) -> tuple[str, ...]:
    """Tables of a layer that have a suite."""
    folder = PROJECT_DIR / "expectations" / layer
    return tuple(sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__"))


def load_suite(layer: Layer, table: str) -> Suite:
    """The suite of a table of `list_suites`. Raises ConfigError where its module is not one."""
    module: ModuleType = importlib.import_module(f"expectations.{layer}.{table}")
    build = getattr(module, "build", None)
    if build is None:
        raise ConfigError(
            f"expectations/{layer}/{table}.py has no build(context)", remedy="see docs/quality.md, Adding a check"
        )
    rows = getattr(module, "rows", raw_rows if layer == "raw" else _whole_table(f"{SCHEMAS[layer]}.{table}"))
    return Suite(layer, table, build, rows, getattr(module, "KEYS", ()))


def raw_rows(context: SuiteContext) -> str:
    """The effective batches of the day, without personal columns: no rule and no result can hold what is not there."""
    if context.contract is None:
        raise ConfigError(
            "a raw suite needs the contract of its table", remedy="describe the table in the sources YAML"
        )
    plain = [column.name for column in context.contract.columns if not column.pii]
    pseudonyms = [column.pseudonym for column in context.contract.columns if column.pseudonym]
    columns = ", ".join([*plain, *pseudonyms, "_record_number", "_batch_id"])
    return context.visible_rows(context.contract.table, columns)


def _whole_table(relation: str) -> Callable[[SuiteContext], str]:
    return lambda context: f"select * from {relation}"


def effective_batches(as_of: date) -> str:
    """The query that `suite_context` wants the rows of."""
    return (
        "select table_name, as_of, batch_id, rows_loaded from ops.effective_batches "
        f"where as_of <= date '{as_of}' order by table_name, as_of desc nulls last, batch_id"
    )


def suite_context(
    batches: Sequence[tuple[Any, ...]], table: str, as_of: date, contracts: Mapping[str, Contract], settings: Settings
) -> SuiteContext:
    """Facts of the ledger that the suite of `table` compares with."""
    visible: dict[str, Visible] = {}
    own: dict[date, Visible] = {}
    for name, day, batch_id, loaded in batches:
        seen = visible.get(name)
        if seen is None:
            visible[name] = Visible(day, (batch_id,), loaded)
        elif seen.as_of == day:
            visible[name] = Visible(day, (*seen.batch_ids, batch_id), seen.rows + loaded)
        if name == table and day < as_of:
            known = own.get(day, Visible(day, (), 0))
            own[day] = Visible(day, (*known.batch_ids, batch_id), known.rows + loaded)
    return SuiteContext(
        as_of=as_of,
        day=BusinessDay(as_of, settings.zone),
        contract=contracts.get(table),
        population=next((name for name, contract in contracts.items() if contract.population), None),
        visible=visible,
        earlier_rows=tuple(state.rows for state in own.values())[:EARLIER_DAYS],
        before=next(iter(own.values()), None),
    )

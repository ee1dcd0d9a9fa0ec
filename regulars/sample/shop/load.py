"""A shop in PostgreSQL: its database in the state of a day's evening."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import psycopg

from regulars.contracts import Contract, read_contracts
from regulars.errors import TransientError
from regulars.postgres.copy_in import copy_in
from regulars.postgres.server import ensure_database
from regulars.sample.draws import literal, sample_engine
from regulars.sample.load import database_uri
from regulars.sample.postgres_types import postgres_type
from regulars.sample.records import Record
from regulars.sample.shop import rows
from regulars.sample.shop.faults import SPIKE_TIMES, plan_faults
from regulars.sample.shop.spec import ShopSpec
from regulars.settings import PROJECT_DIR

DATABASE = "shop"
TABLES = ("customers", "products", "categories", "orders", "order_items")
SLOPPY = {("order_items", "unit_price")}  # kept as text by the shop, so that anything can stand in it


def load_evening(spec: ShopSpec, day: date, postgres_uri: str) -> dict[str, int]:
    """Make database `shop` (where missing) hold the evening of `day`, in one transaction. Returns rows by table.

    `postgres_uri` names any database of the server. Equal (spec, day), equal tables, in whatever order evenings are
    loaded. Raises ConfigError for a day outside the sample, TransientError where PostgreSQL does not answer.
    """
    spec.index_of(day)
    contracts = shop_contracts()
    engine = sample_engine()
    counts = {}
    try:
        ensure_database(postgres_uri, DATABASE)
        with psycopg.connect(database_uri(postgres_uri, DATABASE), connect_timeout=10) as connection:
            for table in TABLES:
                contract = contracts[table]
                columns = ", ".join(
                    f"{c.name} {'text' if (table, c.name) in SLOPPY else postgres_type(c.data_type)}"
                    for c in contract.columns
                )
                connection.execute(f"drop table if exists {table}")
                connection.execute(f"create table {table} ({columns})")
                query = evening_rows(spec, contract, day)
                counts[table] = copy_in(engine, query, connection, table, list(contract.by_name))
    except psycopg.OperationalError as error:
        raise TransientError(f"PostgreSQL does not answer: {str(error).strip()}", remedy="run again") from None
    finally:
        engine.close()
    return counts


def shop_contracts() -> dict[str, Contract]:
    """Contracts of the shop's tables, by name."""
    contracts = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")
    return {name: contracts[name] for name in TABLES}


def evening_rows(spec: ShopSpec, contract: Contract, day: date) -> str:
    """SELECT of a table on the evening of `day`, columns in contract order."""
    index, table = spec.index_of(day), contract.table
    formulas: dict[str, Callable[[], str]] = {
        "customers": lambda: rows.customers(spec, index),
        "products": lambda: rows.products(spec, index),
        "categories": lambda: rows.categories(spec, index),
        "orders": lambda: rows.orders(spec, 0, index),
        "order_items": lambda: rows.order_items(spec, 0, index),
    }
    columns = list(contract.by_name)
    query = f"select {', '.join(columns)} from ({formulas[table]()})"
    plan = plan_faults(spec)
    if table in ("orders", "order_items") and spec.faults and plan.spike_on <= day:
        query += _spike(spec, columns, table, index, spec.index_of(plan.spike_on))
    if added := plan.rows(table, day):
        values = ", ".join(_values(columns, record) for record in added)
        query += f" union all by name select * from (values {values}) as planted ({', '.join(columns)})"
    texts = ", ".join(f"cast({name} as varchar) as {name}" for name in columns)
    return f"select {texts} from ({query})"


def _spike(spec: ShopSpec, columns: list[str], table: str, index: int, day: int) -> str:
    """The orders of the odd day (or their lines), placed again and again under other numbers."""
    formula = rows.orders(spec, day, index) if table == "orders" else rows.order_items(spec, day, day)
    only = f"where cast(ordered_at as date) = date '{spec.start}' + {day}" if table == "orders" else ""
    listed = ", ".join("order_id || '-' || again as order_id" if name == "order_id" else name for name in columns)
    return f" union all select {listed} from ({formula}) cross join range({SPIKE_TIMES - 1}) as copies(again) {only}"


def _values(columns: list[str], record: Record) -> str:
    cells = (record.get(column) for column in columns)
    return f"({', '.join('null' if cell is None else literal(cell) for cell in cells)})"

"""Names of folders and files, and values, that would end a literal early: they stay data on both engines."""

from __future__ import annotations

import pytest
from test_warehouse import CONTRACTS, DAY, NOW, ORDERS, RUN, land

from regulars.settings import Settings
from regulars.warehouse import open_warehouse

pytestmark = pytest.mark.parity
HOSTILE = "it's \\' or 1 = 1 --\\"


@pytest.fixture
def hostile(either: Settings) -> Settings:
    """A home whose name is what an attacker would call it."""
    return either.model_copy(update={"home": either.home_dir.parent / HOSTILE})


def test_a_folder_of_any_name_is_loaded_and_delivered_to(hostile: Settings) -> None:
    manifest = land(hostile, DAY, 4)
    with open_warehouse(hostile) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.load(ORDERS, [manifest], RUN, NOW)
        assert warehouse.query("select count(*) from raw.orders") == [(5,)]
        path = hostile.home_dir / "full.csv"
        query = 'select order_id as "order_id" from raw.orders order by orders.order_id'
        assert warehouse.export(query, path, "csv") == 5
        with warehouse.transaction():
            source = warehouse.import_file(path, ["order_id"], "csv")
            assert warehouse.query(f"select count(*) from {source}") == [(5,)]


def test_values_of_any_kind_come_back_as_they_went(either: Settings) -> None:
    row = {"table_name": HOSTILE, "status": "\\", "is_required": True, "as_of": DAY, "checked_at": NOW}
    with open_warehouse(either) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.record("freshness", [row])
        assert warehouse.query("select table_name, status from ops.freshness") == [(HOSTILE, "\\")]
        assert warehouse.query("select count(*) from ops.freshness where table_name = ?", [HOSTILE]) == [(1,)]
        warehouse.replace_records("freshness", ["table_name"], [row | {"status": "'"}])
        assert warehouse.query("select status from ops.freshness") == [("'",)]


def test_a_value_in_the_text_of_a_statement_ends_where_it_ends(either: Settings) -> None:
    """The functions that make literals, each before its own engine."""
    if either.warehouse == "duckdb":
        from regulars.engine import quote
    else:
        from regulars.warehouse.snowflake_text import quote
    with open_warehouse(either) as warehouse:
        for text in (HOSTILE, "\\", "'", "\\'", "''", "\\\\''", "a\\nb"):
            assert warehouse.query(f"select {quote(text)} as found, 2 as other") == [(text, 2)]

"""Drafts of two real sets: what is guessed, and that what lands is what plain SQL over the files says."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml

from regulars.contracts import read_contracts
from regulars.landing import land
from regulars.run import Run
from regulars.settings import PROJECT_DIR, Settings
from regulars.sources.config import Connection, Sources, TableSource
from tests.integration.discovery.taken_over import CLOCK, answer, run_command

pytestmark = pytest.mark.real_data


def test_online_retail_is_a_feed_of_days_without_a_key(datasets: Path, draft) -> None:
    said, taken = draft(datasets / "online_retail")
    contract = read_contracts(taken.out / "staging")["online_retail"]
    assert (contract.mode, contract.key, contract.event_time) == ("append", (), "invoice_date")
    assert [column.data_type for column in contract.columns] == [
        "varchar", "varchar", "varchar", "bigint", "timestamp", "decimal(18,2)", "bigint", "varchar",
    ]  # fmt: skip
    assert not contract.personal_columns and not contract.by_name["country"].enum
    assert "30 of 219 files" in said
    code, words = run_command("validate", taken.out)
    assert code == 1 and "no set of up to 3 columns is unique" in words
    answer(taken.out)
    assert run_command("validate", taken.out)[0] == 0
    days = [date(2010, 12, 1), date(2011, 8, 5)]
    landed = taken.land(*days)
    taken.stage(days[-1])
    for day in days:
        file = datasets / "online_retail" / f"{day}.csv"
        plain = duckdb.sql(
            "select count(*), sum(quantity), sum(cast(quantity * cast(unitprice as decimal(18, 3)) as decimal(18, 3))), "
            f"count(distinct invoiceno), count(customerid) from read_csv('{file}', all_varchar = false, types = "
            "{'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'UnitPrice': 'decimal(18,3)'})"
        ).fetchone()
        assert landed["online_retail", day].rows_quarantined == 0
        assert taken.rows(
            "select count(*), sum(quantity), sum(cast(quantity * unit_price as decimal(18, 3))), count(distinct invoice_no), "
            f"count(customer_id) from staging.stg_store__online_retail where landed_on = date '{day}'"
        ) == [plain]


def test_olist_is_five_tables_with_keys(datasets: Path, draft) -> None:
    _, taken = draft(datasets / "olist_10k", name="olist")
    contracts = read_contracts(taken.out / "staging")
    assert {name: contract.key for name, contract in contracts.items()} == {
        "olist_customers": ("customer_id",),
        "olist_order_items": ("order_id", "order_item_id"),
        "olist_orders": ("order_id",),
        "olist_products": ("product_id",),
        "product_category_name_translation": ("product_category_name",),
    }
    orders = contracts["olist_orders"]
    assert (orders.mode, orders.event_time) == ("append", "order_purchase_timestamp")
    assert "delivered" in orders.by_name["order_status"].enum
    assert contracts["olist_customers"].by_name["customer_zip_code_prefix"].pii == "address"
    answer(taken.out)
    assert run_command("validate", taken.out)[0] == 0
    day = date(2017, 10, 5)
    landed = taken.land(day)
    counts = {table: manifest.rows_loaded for (table, _), manifest in landed.items()}
    (expected,) = duckdb.sql(
        f"select count(*) from '{datasets / 'olist_10k' / 'orders.csv'}' where order_purchase_timestamp >= "
        "timestamp '2017-10-02' and order_purchase_timestamp < timestamp '2017-10-06'"
    ).fetchone() or (0,)
    assert counts == {
        "olist_customers": 10_000, "olist_order_items": 11_252, "olist_orders": expected, "olist_products": 6_123,
        "product_category_name_translation": 71,
    }  # fmt: skip
    assert not any(manifest.rows_quarantined for manifest in landed.values())


def test_the_mapping_of_the_guide_lands(datasets: Path, settings: Settings) -> None:
    """Online Retail as events of the loyalty contracts, word for word as docs/bring-your-own.md maps it."""
    text = (PROJECT_DIR / "docs" / "bring-your-own.md").read_text().partition("## Mapping to existing contracts")[2]
    entry = yaml.safe_load(text.partition("```yaml")[2].partition("```")[0])["tables"]["user_activity"]
    contract = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")["user_activity"]
    files = Connection(kind="files", path=str(datasets / "online_retail"))
    table = TableSource.model_validate(entry)
    sources = Sources(connections={"retail": files}, tables={"user_activity": table})
    manifest = land(contract, sources, settings, Run("run", "ingest", date(2010, 12, 1), CLOCK)).manifest
    plain = duckdb.sql(
        "select count(*), count(distinct (invoiceno, stockcode, quantity, unitprice)) from "
        f"read_csv('{datasets / 'online_retail' / '2010-12-01.csv'}', all_varchar = true) "
        "where customerid is not null and cast(quantity as int) > 0"
    ).fetchone()
    assert plain == (manifest.rows_read, manifest.rows_loaded) and not manifest.rows_quarantined

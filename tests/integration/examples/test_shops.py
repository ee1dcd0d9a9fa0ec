"""Real shops through `examples/*/sources.yml` alone: totals, cancellations, unknown customers and duplicates equal plain SQL over the files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pytest
from prefect.testing.utilities import prefect_test_harness

from regulars.settings import PROJECT_DIR
from regulars.warehouse.duckdb_publish import PublishedReader, read_published

pytestmark = [pytest.mark.real_data, pytest.mark.long, pytest.mark.timeout(900)]


@contextmanager
def refreshed(
    home: Path, example: str, variable: str, folder: Path, as_of: date, since: date | None
) -> Iterator[PublishedReader]:
    """What readers see after one weekly refresh of an example."""
    with pytest.MonkeyPatch.context() as patch, prefect_test_harness(server_startup_timeout=120):
        patch.setenv("REGULARS_HOME", str(home))
        patch.setenv("REGULARS_SOURCES", str(PROJECT_DIR / "examples" / example / "sources.yml"))
        patch.setenv("REGULARS_PSEUDONYM_KEY", "test-key")
        patch.setenv(variable, str(folder))
        from flows.sales import weekly_customer_analytics

        weekly_customer_analytics(as_of, since=since)
    with read_published(home / "published.duckdb") as reader:
        yield reader


def same(reader: PublishedReader, ours: str, files: duckdb.DuckDBPyConnection, theirs: str) -> None:
    assert reader.query(ours) == files.execute(theirs).fetchall(), ours


def test_online_retail(datasets: Path, tmp_path: Path) -> None:
    folder = datasets / "online_retail"
    assert len(list(folder.glob("*.csv"))) == 219
    files = duckdb.connect()
    text = "'InvoiceNo': 'varchar', 'StockCode': 'varchar', 'CustomerID': 'varchar', 'UnitPrice': 'decimal(12, 4)'"
    files.execute(f"create table lines as select * from read_csv('{folder}/*.csv', types = {{{text}}})")
    files.execute(
        """create view l as select distinct *, round(Quantity * UnitPrice, 2) as amount,
           InvoiceNo like 'C%' as is_cancelled from lines"""
    )
    with refreshed(
        tmp_path / "home", "online-retail", "ONLINE_RETAIL", folder, date(2011, 8, 31), date(2010, 12, 1)
    ) as reader:
        same(
            reader,
            "select count(*), sum(net_amount), sum(gross_amount), sum(sold_quantity) from marts.fact_orders",
            files,
            """select count(distinct InvoiceNo), sum(amount) filter (not is_cancelled and Quantity >= 0 or Quantity < 0),
                   sum(amount) filter (not is_cancelled and Quantity >= 0), sum(Quantity) filter (not is_cancelled and Quantity >= 0) from l""",
        )
        same(
            reader,
            "select count(*), sum(cancelled_amount) from marts.fact_orders where status = 'cancelled'",
            files,
            "select count(distinct InvoiceNo), sum(abs(amount)) from l where is_cancelled",
        )
        same(
            reader,
            "select row_count from marts.sales_unmatched_rows where reason = 'no_customer_id'",
            files,
            """select count(*) from (select InvoiceNo from l group by InvoiceNo having count(CustomerID) = 0)""",
        )
        same(
            reader,
            "select sum(rows_read), sum(rows_loaded), sum(rows_duplicate) from ops.ingestion_logs where table_name = 'order_items' and status = 'loaded'",
            files,
            "select count(*), (select count(*) from l), count(*) - (select count(*) from l) from lines",
        )
        same(
            reader,
            "select count(*) from marts.dim_customers where is_current and customer_id is not null",
            files,
            "select count(distinct CustomerID) from lines",
        )
        same(
            reader,
            "select ordered_on, net_amount from marts.daily_sales order by 1",
            files,
            """select cast(last_at as date), sum(net) from (
                   select InvoiceNo, max(InvoiceDate) as last_at, sum(amount) filter (not is_cancelled and Quantity >= 0 or Quantity < 0) as net
                   from l group by 1) group by 1 order by 1""",
        )
        assert reader.query(
            "select count(*) from marts.fact_order_items where customer_key is null or product_key is null"
        ) == [(0,)]
        unknown = "select count(*) from marts.fact_order_items where product_key = 'unknown'"
        named = """select count(*) from l where upper(StockCode) not in
            (select upper(StockCode) from lines where Description is not null and not InvoiceNo like 'C%')"""
        same(reader, unknown, files, named)


def test_olist(datasets: Path, tmp_path: Path) -> None:
    folder = datasets / "olist_10k"
    files = duckdb.connect()
    for path in folder.glob("*.csv"):
        files.execute(f"create view {path.stem} as select * from read_csv('{path}')")
    with refreshed(tmp_path / "home", "olist", "OLIST", folder, date(2018, 10, 31), None) as reader:
        assert reader.query("select count(*) from marts.sales_unmatched_rows") == [(0,)], "no orphan"
        facts = dict(reader.query("select status, count(*) from marts.fact_orders group by 1"))
        assert (facts["delivered"], facts["cancelled"]) == (9649, 57)
        stamps = "select count(*) - count(approved_at), count(*) - count(shipped_at), count(*) - count(delivered_at) from marts.fact_orders"
        assert reader.query(stamps) == [(16, 247, 352)]
        current = "select count(*) from marts.dim_{0}s where is_current and {0}_id is not null"
        members = ", ".join(f"({current.format(name)})" for name in ("customer", "product"))
        counts = f"select (select count(*) from marts.fact_order_items), {members}"
        assert reader.query(counts) == [(11252, 9920, 6123)]
        same(
            reader,
            "select cast(sum(gross_amount) as decimal(18, 2)), cast(sum(cancelled_amount) as decimal(18, 2)) from marts.fact_orders",
            files,
            """select cast(sum(price) filter (order_status <> 'canceled') as decimal(18, 2)),
                   coalesce(cast(sum(price) filter (order_status = 'canceled') as decimal(18, 2)), 0)
               from order_items inner join orders using (order_id)""",
        )
        same(
            reader,
            """select category_name, cast(sum(net_amount) as decimal(18, 2)) from marts.product_category_sales
               where category_name is not null group by 1 order by 1""",
            files,
            """select product_category_name_english, cast(sum(price) as decimal(18, 2))
               from order_items inner join orders using (order_id) inner join products using (product_id)
               inner join product_category_name_translation using (product_category_name)
               where order_status <> 'canceled' group by 1 order by 1""",
        )

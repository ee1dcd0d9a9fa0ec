"""Two real shops by their `examples/*/sources.yml` alone, on both engines: equal marts, findings and records."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from both_engines import refreshed_on_both

from flows.sales import weekly_customer_analytics
from regulars.engine import quote
from regulars.settings import PROJECT_DIR
from regulars.snowflake_settings import SnowflakeSettings

pytestmark = [pytest.mark.parity, pytest.mark.real_data, pytest.mark.timeout(1200)]
EXAMPLES = PROJECT_DIR / "examples"


def both_say(here: Any, there: Any, query: str) -> list[tuple[Any, ...]]:
    """The answer of DuckDB, which is that of Snowflake."""
    answer: list[tuple[Any, ...]] = here.query(query)
    assert there.query(query) == answer, query
    return answer


def test_a_wholesalers_lines(
    prefect_server: None,
    datasets: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    snowflake_access: SnowflakeSettings,
) -> None:
    """Three days as a first load, then the most cancelled day of that month's start, after three without a file."""
    first, last = date(2010, 12, 1), date(2010, 12, 9)
    files = tmp_path / "files"
    files.mkdir()
    days = [date(2010, 12, 1), date(2010, 12, 2), date(2010, 12, 3), last]
    for day in days:
        shutil.copy(datasets / "online_retail" / f"{day}.csv", files)
    monkeypatch.setenv("ONLINE_RETAIL", str(files))

    def refresh() -> None:
        weekly_customer_analytics(days[2], since=first)
        weekly_customer_analytics(last)

    with refreshed_on_both(tmp_path, EXAMPLES / "online-retail" / "sources.yml", snowflake_access, refresh) as (
        here,
        there,
    ):
        lines = duckdb.connect()
        lines.execute(
            f"create view l as select distinct * from read_csv({quote(str(files / '*.csv'))}, all_varchar = true)"
        )
        wanted = lines.execute(
            """select count(*), count(distinct InvoiceNo), count(distinct InvoiceNo) filter (InvoiceNo like 'C%'),
                   count(distinct InvoiceNo) filter (CustomerID is null),
                   sum(round(cast(Quantity as integer) * cast(UnitPrice as decimal(12, 4)), 2))
                       filter (InvoiceNo not like 'C%' or cast(Quantity as integer) < 0)
               from l"""
        ).fetchall()
        held = both_say(
            here,
            there,
            """select cast(sum(line_count) as bigint), count(*), count(case when status = 'cancelled' then 1 end),
                   count(case when customer_key = 'unknown' then 1 end), cast(sum(net_amount) as decimal(18, 2))
               from marts.fact_orders""",
        )
        assert held == wanted
        assert both_say(here, there, "select count(*) from marts.anomalies")[0][0] > 100
        lines.close()


def write_export(datasets: Path, folder: Path, since: date, until: date) -> None:
    """The export as it would be if the shop had begun on `since` and it were the end of `until`."""
    folder.mkdir(exist_ok=True)
    with duckdb.connect() as files:
        for path in sorted((datasets / "olist_10k").glob("*.csv")):
            files.execute(f"create view {path.stem} as select * from read_csv({quote(str(path))}, all_varchar = true)")
        files.execute(
            f"""create view kept as select * from orders
                where cast(order_purchase_timestamp as date) between '{since}' and '{until}'"""
        )
        kept = {
            "orders": "from kept",
            "customers": "from customers where customer_id in (select customer_id from kept)",
            "order_items": "from order_items where order_id in (select order_id from kept)",
            "products": "from products",
            "product_category_name_translation": "from product_category_name_translation",
        }
        for name, rows in kept.items():
            target = quote(str(folder / f"{name}.csv"))
            files.execute(f"copy (select * {rows}) to {target} (format csv, header true)")


def test_a_marketplaces_export(
    prefect_server: None,
    datasets: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    snowflake_access: SnowflakeSettings,
) -> None:
    """Three weeks of orders up to Black Friday's, as one export of whole tables."""
    since, until = date(2017, 11, 6), date(2017, 11, 26)
    files = tmp_path / "files"
    monkeypatch.setenv("OLIST", str(files))
    monkeypatch.setenv("REGULARS_SCIENCE__CATEGORIES", "2")  # forecasts are made outside of the engine
    write_export(datasets, files, since, until)
    with refreshed_on_both(
        tmp_path, EXAMPLES / "olist" / "sources.yml", snowflake_access, lambda: weekly_customer_analytics(until)
    ) as (here, there):
        with duckdb.connect() as export:
            wanted = export.execute(
                f"""select count(distinct order_id), count(order_item_id), cast(sum(price) as decimal(18, 2))
                    from read_csv({quote(str(files / "orders.csv"))}) as orders
                    left join read_csv({quote(str(files / "order_items.csv"))}) as items using (order_id)
                    where order_status <> 'canceled'"""
            ).fetchall()
        held = both_say(
            here,
            there,
            """select count(*), cast(sum(line_count) as bigint), cast(sum(net_amount) as decimal(18, 2))
               from marts.fact_orders where status <> 'cancelled'""",
        )
        assert held == wanted
        assert both_say(here, there, "select count(*) from marts.sales_unmatched_rows") == [(0,)]
        assert both_say(here, there, "select cast(sum(rows_found) as bigint) from ops.findings")[0][0] > 0

"""The weekly refresh of a shop on both engines: equal tables after three weeks, faults and corrections among them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from both_engines import refreshed_on_both

from flows.sales import weekly_customer_analytics
from regulars.engine import quote
from regulars.sample.draws import sample_engine
from regulars.sample.shop import ShopSpec, faults_until
from regulars.sample.shop.load import TABLES, evening_rows, shop_contracts
from regulars.snowflake_settings import SnowflakeSettings

pytestmark = [pytest.mark.parity, pytest.mark.timeout(3000)]
SHOP = ShopSpec(customers=150, products=24, orders_per_day=25, weeks=10)


def write_exports(folder: Path) -> None:
    """The whole tables of three evenings as CSV files."""
    engine = sample_engine()
    for evening in SHOP.evenings:
        for table, contract in shop_contracts().items():
            path = folder / table / f"{evening}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            engine.execute(
                f"copy ({evening_rows(SHOP, contract, evening)}) to {quote(str(path))} (format csv, header true)"
            )
    engine.close()


def test_three_weeks_end_in_the_same_tables(
    prefect_server: None, tmp_path: Path, snowflake_access: SnowflakeSettings
) -> None:
    write_exports(tmp_path / "exports")
    sources = {
        "connections": {"files": {"kind": "files", "path": str(tmp_path / "exports")}},
        "tables": {table: {"from": "files", "path": f"{table}/{{as_of}}.csv"} for table in TABLES},
    }
    (tmp_path / "sources.yml").write_text(yaml.safe_dump(sources))

    def refresh() -> None:
        for evening in SHOP.evenings:
            weekly_customer_analytics(evening)

    with refreshed_on_both(tmp_path, tmp_path / "sources.yml", snowflake_access, refresh) as (here, there):
        for fault in faults_until(SHOP, SHOP.evenings[2]):
            assert here.query(fault.query) == there.query(fault.query), fault.description
        assert here.query("select count(*) from marts.anomalies")[0][0] > 100

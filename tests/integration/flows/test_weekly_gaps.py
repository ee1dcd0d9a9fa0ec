"""The weekly refresh where something is missing: a shop that delivered nothing, and an installation without its extra."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import pytest
import yaml
from prefect.client.orchestration import get_client

from flows.sales import weekly_customer_analytics
from regulars.errors import ConfigError, RegularsError
from regulars.sample.shop.load import TABLES
from regulars.warehouse.duckdb_publish import read_published

pytestmark = pytest.mark.timeout(300)
DAY = date(2026, 1, 11)
MOMENT = "2026-01-10 10:00:00"
FILES = {
    "customers": f"customer_id,updated_at\nK1,{MOMENT}\n",
    "products": f"product_id,category_id,updated_at\nP1,C1,{MOMENT}\n",
    "categories": f"category_id,updated_at\nC1,{MOMENT}\n",
    "orders": f"order_id,customer_id,ordered_at,status,updated_at\nO1,K1,{MOMENT},completed,{MOMENT}\n",
    "order_items": f"order_id,line_id,product_id,quantity,unit_price,updated_at\nO1,1,P1,2,3.50,{MOMENT}\n",
}


@pytest.fixture
def home(prefect_server: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The current home, which is not there yet; its shop lies in `shop` beside it."""
    (tmp_path / "shop").mkdir()
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REGULARS_SOURCES", str(tmp_path / "sources.yml"))
    monkeypatch.setenv("REGULARS_PSEUDONYM_KEY", "test-key")
    return tmp_path / "home"


def expect_files(home: Path, *, required: bool) -> None:
    """Sources of the shop: a file for each table and day."""
    tables = {table: {"from": "files", "path": f"{table}/{{as_of}}.csv", "required": required} for table in TABLES}
    document = {"connections": {"files": {"kind": "files", "path": "shop"}}, "tables": tables}
    home.with_name("sources.yml").write_text(yaml.safe_dump(document))


def artifact(key: str) -> str:
    with get_client(sync_client=True) as client:
        asked = {"artifacts": {"key": {"any_": [key]}}}
        found = client._client.post("/artifacts/latest/filter", json=asked).json()
    return str(found[0]["data"])


def test_a_shop_that_has_to_deliver_and_does_not_stops_the_run(home: Path) -> None:
    expect_files(home, required=True)
    with pytest.raises(RegularsError) as stopped:
        weekly_customer_analytics(DAY)
    for table in TABLES:
        assert f"table {table}, day {DAY}: no file " in str(stopped.value)
    assert "deliver the file" in str(stopped.value) and "required: false" in str(stopped.value)
    assert not (home / "published.duckdb").exists()
    assert not list((home / "landing").rglob("*")), "nothing is landed"


@pytest.mark.whole
def test_one_that_need_not_is_an_empty_shop_until_it_does_and_pictures_are_left_out_without_matplotlib(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expect_files(home, required=False)
    done = weekly_customer_analytics(DAY)
    assert [(one.table, len(one.new)) for one in done.loaded] == [(table, 0) for table in sorted(TABLES)]
    assert {one.rows_found for one in done.found} == {0}
    counts = "select (select count(*) from marts.fact_orders), (select count(*) from marts.customer_360)"
    states = "select distinct status from ops.freshness where table_name in ('orders', 'order_items', 'customers')"
    with read_published(home / "published.duckdb") as reader:
        assert reader.query(counts) == [(0, 0)]
        assert reader.query(states) == [("never",)]
    assert not (home / "charts").exists()

    for table, text in FILES.items():
        (home.with_name("shop") / table).mkdir()
        (home.with_name("shop") / table / f"{DAY}.csv").write_text(text)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    weekly_customer_analytics(DAY)
    with read_published(home / "published.duckdb") as reader:
        assert reader.query(counts) == [(1, 1)]
        assert reader.query("select net_amount from marts.daily_sales") == [(7,)]
        assert reader.query(states) == [("fresh",)]
    assert not (home / "charts").exists()
    assert "pip install 'regulars[science]'" in artifact("charts")
    assert "left out" in caplog.text and "regulars[science]" in caplog.text


def test_without_the_extra_nothing_begins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expect_files(home, required=False)
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.delitem(sys.modules, "regulars.science", raising=False)
    with pytest.raises(ConfigError, match="needs scipy") as stopped:
        weekly_customer_analytics(DAY)
    assert "regulars[science]" in str(stopped.value) and "science=false" in str(stopped.value)
    assert not home.exists()

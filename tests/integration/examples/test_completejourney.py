"""A real loyalty-card year through `examples/completejourney/sources.yml` alone: totals equal plain SQL over the files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from prefect.testing.utilities import prefect_test_harness

from regulars.settings import PROJECT_DIR
from regulars.warehouse.duckdb_publish import PublishedReader, read_published

pytestmark = [pytest.mark.real_data, pytest.mark.long, pytest.mark.timeout(900)]
FIRST, DAYS = date(2017, 3, 1), 30
LAST = FIRST + timedelta(days=DAYS - 1)
SINCE = FIRST - timedelta(days=3)  # the lookback of the first day


@pytest.fixture(scope="module")
def published(datasets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublishedReader]:
    """Thirty business days: each ingested by its own flow run; built, published and delivered by the daily merge."""
    home = tmp_path_factory.mktemp("completejourney")
    with pytest.MonkeyPatch.context() as patch, prefect_test_harness(server_startup_timeout=120):
        patch.setenv("REGULARS_HOME", str(home))
        patch.setenv("REGULARS_SOURCES", str(PROJECT_DIR / "examples/completejourney/sources.yml"))
        patch.setenv("REGULARS_PSEUDONYM_KEY", "test-key")
        patch.setenv("COMPLETEJOURNEY", str(datasets / "completejourney"))
        from flows.ingest import ingest
        from flows.loyalty import daily_loyalty_merge

        for number in range(DAYS - 1):
            ingest(FIRST + timedelta(days=number))
        daily_loyalty_merge(LAST)
    with read_published(home / "published.duckdb") as reader:
        yield reader


@pytest.fixture(scope="module")
def files(datasets: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for path in (datasets / "completejourney").glob("*.csv"):
            connection.execute(f"create view {path.stem} as select * from read_csv('{path}')")
        yield connection


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[object, ...]:
    found = connection.execute(sql).fetchone()
    assert found is not None
    return found


def test_purchases_equal_the_files(published: PublishedReader, files: duckdb.DuckDBPyConnection) -> None:
    expected = one(
        files,
        f"""select count(*), sum(cast(sales_value as decimal(12, 2))), count(distinct household_id) from transactions_sample
            where cast(transaction_timestamp as date) between '{SINCE}' and '{LAST}'""",
    )
    found = published.query(
        "select sum(purchase_count), sum(purchase_amount), count(*) filter (where purchase_count > 0) from marts.loyalty_master"
    )
    assert found == [expected]
    assert expected[0] > 5000


def test_windows_equal_the_files(published: PublishedReader, files: duckdb.DuckDBPyConnection) -> None:
    since = LAST - timedelta(days=6)
    expected = one(
        files,
        f"select count(*) from transactions_sample where cast(transaction_timestamp as date) between '{since}' and '{LAST}'",
    )
    assert published.query("select sum(purchase_count_7d) from marts.loyalty_master") == [expected]


def test_households_with_and_without_demographics(published: PublishedReader, files: duckdb.DuckDBPyConnection) -> None:
    assert published.query("select count(*) from marts.loyalty_master where has_profile") == [(801,)]
    (without,) = one(
        files,
        f"""select count(distinct household_id) from (
                select household_id from transactions_sample where cast(transaction_timestamp as date) between '{SINCE}' and '{LAST}'
                union
                select household_id from transactions_sample
                where cast(transaction_timestamp as timestamp) >= timestamp '{FIRST}' - interval 27 day and cast(transaction_timestamp as date) <= '{LAST}'
                union select household_id from coupon_redemptions where redemption_date between '{SINCE}' and '{LAST}'
                union select household_id from campaigns join campaign_descriptions using (campaign_id) where start_date between '{SINCE}' and '{LAST}'
            ) where household_id not in (select household_id from demographics)""",
    )
    assert published.query("select count(*) from marts.loyalty_master where not has_profile") == [(without,)]


def test_campaigns_and_coupons_equal_the_files(published: PublishedReader, files: duckdb.DuckDBPyConnection) -> None:
    (targets,) = one(
        files,
        f"select count(*) from campaigns join campaign_descriptions using (campaign_id) where start_date between '{SINCE}' and '{LAST}'",
    )
    (features,) = one(
        files,
        f"""select count(*) from (select distinct household_id, campaign_id, coupon_upc from coupon_redemptions
            where redemption_date between '{SINCE}' and '{LAST}')""",
    )
    assert published.query("select sum(retention_action_count), sum(feature_count) from marts.loyalty_master") == [
        (targets, features)
    ]
    assert one(files, "select count(*) from campaigns") == (6589,)
    assert one(files, "select count(*) from coupon_redemptions") == (2102,)


def test_what_the_company_lacks_is_said(published: PublishedReader) -> None:
    ((missing,),) = published.query("select distinct sources_missing from marts.loyalty_master")
    assert set(missing.split(",")) == {
        "support_calls", "support_chats", "issue_tickets", "service_requests", "product_support_usage", "repeat_engagements",
    }  # fmt: skip
    assert published.query("select count(distinct snapshot_date) from marts.loyalty_history_daily") == [(DAYS,)]
    bands = dict(published.query("select engagement_band, count(*) from marts.loyalty_master group by 1"))
    assert {"high", "low", "medium"} <= set(bands)

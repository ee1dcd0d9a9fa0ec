"""A delivery beside a bare COPY of the same rows to the same formats.

python benchmarks/delivery.py [members]   (default 1,000,000)
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb

from regulars.contracts import Column, Contract
from regulars.run import Run
from regulars.segments.config import DeliverySettings, SegmentDefinition
from regulars.segments.delivery import deliver
from regulars.segments.unload import DuckDBUnloader
from regulars.settings import Settings
from regulars.storage import open_storage

D1, D2 = date(2026, 1, 5), date(2026, 1, 6)
COLUMNS = (
    "user_id",
    "region_name",
    "tier",
    "engagement_score",
    "login_count",
    "last_activity_on",
    "purchase_amount",
    "note",
)
PROFILE = Contract(
    source="dw_a", table="user_profile", description="Accounts.", mode="snapshot", key=("user_id",), owner="crm",
    population=True,
    columns=(
        Column(name="user_id", data_type="varchar", description="Account."),
        Column(name="email", data_type="varchar", description="Address.", pii="email"),
    ),
)  # fmt: skip
WAREHOUSE = """
create schema raw; create schema marts; create schema segments; create schema ops;
create table main.calendar as select * from (values (date '2026-01-05', 0), (date '2026-01-06', 1)) as t(day, shift);
create table ops.effective_batches as
    select 'user_profile' as table_name, day as as_of, cast(day as varchar) as batch_id from main.calendar;
create table main.accounts as
    select i, 'u' || lpad(cast(i * 7919 % 100000007 as varchar), 9, '0') as user_id from range({members}) as r(i);
create table marts.loyalty_history as
    select user_id, true as marketing_consent, false as is_deleted, date '2026-01-05' as valid_from,
        cast(null as date) as valid_to
    from main.accounts;
create table main.days as
    select day as snapshot_date, user_id, 'Region ' || (i % 12) as region_name, 'tier' || (i % 4) as tier,
        cast((i % 10000) / 100.0 as decimal(5, 2)) as engagement_score, i % 100 as login_count,
        date '2026-01-01' + cast(i % 5 as integer) as last_activity_on,
        cast(i % 99999 as decimal(18, 2)) as purchase_amount, 'note ' || i as note
    from main.accounts, main.calendar
    where (i + shift) % 50 > 0;
create view segments.fans as select * from main.days;
create table raw.user_profile as
    select user_id, user_id || '@example.com' as email, md5(user_id) as email_hash, day as _as_of,
        cast(day as varchar) as _batch_id
    from main.accounts, main.calendar;
"""


def timed(label: str, work: Callable[[], object]) -> float:
    started, cpu = time.perf_counter(), time.process_time()
    work()
    seconds = time.perf_counter() - started
    print(f"{label:58s} {seconds:6.2f} s  ({time.process_time() - cpu:6.2f} s of processor)", flush=True)
    return seconds


def main(members: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(f"{folder}/warehouse.duckdb")
        connection.execute("set threads = 2")
        connection.execute(WAREHOUSE.format(members=members))
        settings = Settings(_env_file=None, home=Path(folder) / "home", pseudonym_key="benchmark")

        def send(place: str, day: date, **more: object) -> Callable[[], object]:
            terms = {"place": place, "columns": COLUMNS, "consent": "marketing_consent", **more}
            delivery = DeliverySettings(team="Marketing", **terms)
            segment = SegmentDefinition(name="fans", sql="", delivery=delivery, population=PROFILE)
            storage = open_storage(settings.delivery_root, settings.s3)
            run = Run("run", "segment", day, datetime(2026, 1, 7))

            def work() -> object:
                with DuckDBUnloader(connection) as engine:
                    return deliver(segment, engine=engine, storage=storage, settings=settings, run=run)

            return work

        def copy() -> None:
            listed = ", ".join(COLUMNS)
            query = f"select {listed} from segments.fans where snapshot_date = date '{D1}' order by user_id"
            connection.execute(f"copy ({query}) to '{folder}/bare.csv' (format csv, header true)")
            connection.execute(f"copy ({query}) to '{folder}/bare.parquet' (format parquet, compression zstd)")

        bare = min(timed("bare COPY, csv and parquet", copy) for _ in range(3))
        ours = min(timed("first delivery", send(f"first{turn}", D1)) for turn in range(3))
        timed("next day (2 % left, 2 % entered)", send("first0", D2))
        timed("rerun of it: nothing new", send("first0", D2))
        timed("first delivery, 10 % held out", send("held", D1, holdout_pct=10))
        timed("first delivery, e-mail addresses allowed", send("personal", D1, personal_data={"email": "allow"}))
        print(f"{members:,} members: {bare / ours:.2f} x the speed of bare COPY")


if __name__ == "__main__":
    main(int(sys.argv[1].replace("_", "")) if len(sys.argv) > 1 else 1_000_000)

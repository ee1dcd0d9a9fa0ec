"""A delivery beside a bare COPY of the same rows to the same formats.

python benchmarks/delivery.py [members] [--runs 5]     (default 1,000,000)

The bare COPY writes what is delivered, in the same order, as CSV and as Parquet; joined to the profiles where the
delivery holds a hashed address. The delivery also judges consent and population, guards every text cell of the CSV,
writes who entered and who left, digests every file, moves them into place and flushes them to disk.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb
from report import Figure, interleaved, machine_facts, show, timed

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


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("members", nargs="?", type=lambda text: int(text.replace("_", "")), default=1_000_000)
    options.add_argument("--runs", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        show("delivery", measure(Bench(Path(folder), given.members), given.runs), machine_facts(**vars(given)))


class Bench:
    """A warehouse of two days in a folder, in which 2 % of the members leave and 2 % enter on the second."""

    def __init__(self, folder: Path, members: int) -> None:
        self.folder, self.places = folder, 0
        self.connection = duckdb.connect(f"{folder}/warehouse.duckdb")
        self.connection.execute("set threads = 2")
        self.connection.execute(WAREHOUSE.format(members=members))
        self.settings = Settings(_env_file=None, home=folder / "home", pseudonym_key="benchmark")

    def send(self, day: date, place: str = "", **more: object) -> Callable[[], object]:
        """A delivery to `place`, or to a new one each time."""

        def work() -> object:
            self.places += 1
            terms = {
                "place": place or f"place{self.places}",
                "columns": COLUMNS,
                "consent": "marketing_consent",
                **more,
            }
            delivery = DeliverySettings(team="Marketing", **terms)
            segment = SegmentDefinition(name="fans", sql="", delivery=delivery, population=PROFILE)
            storage = open_storage(self.settings.delivery_root, self.settings.s3)
            run = Run("run", "segment", day, datetime(2026, 1, 7))
            with DuckDBUnloader(self.connection) as engine:
                return deliver(segment, engine=engine, storage=storage, settings=self.settings, run=run)

        return work

    def copy(self, *, hashed: bool = False) -> Callable[[], object]:
        more = ", email_hash" if hashed else ""
        joined = f"left join (from raw.user_profile where _as_of = date '{D1}') using (user_id)" if hashed else ""
        query = (
            f"select {', '.join(COLUMNS)}{more} from segments.fans {joined} where snapshot_date = date '{D1}' "
            "order by user_id"
        )

        def work() -> None:
            self.connection.execute(f"copy ({query}) to '{self.folder}/bare.csv' (format csv, header true)")
            self.connection.execute(
                f"copy ({query}) to '{self.folder}/bare.parquet' (format parquet, compression zstd)"
            )

        return work


def measure(bench: Bench, runs: int) -> list[Figure]:
    seconds = interleaved(
        runs,
        bare=bench.copy(),
        plain=bench.send(D1),
        bare_hashed=bench.copy(hashed=True),
        hashed=bench.send(D1, personal_data={"email": "hash"}),
        held=bench.send(D1, holdout_pct=10),
    )
    bench.send(D1, "kept")()
    next_day, again = timed(bench.send(D2, "kept")), timed(bench.send(D2, "kept"))
    return [
        Figure("bare COPY", seconds["bare"]),
        Figure("delivery", seconds["plain"]),
        Figure("speed", seconds["bare"] / seconds["plain"], "x", ">= 0.7"),
        Figure("bare COPY with hashed addresses", seconds["bare_hashed"]),
        Figure("delivery with hashed addresses", seconds["hashed"]),
        Figure("speed with hashed addresses", seconds["bare_hashed"] / seconds["hashed"], "x", ">= 0.7"),
        Figure("delivery, 10 % held out by a keyed hash", seconds["held"]),
        Figure("next day: 2 % left, 2 % entered", next_day),
        Figure("rerun of it: nothing new", again),
    ]


if __name__ == "__main__":
    main()

"""Deliveries of more rows than one row group: equal bytes on any number of threads, through the warehouse itself."""

from __future__ import annotations

from datetime import date, datetime

from regulars.run import Run
from regulars.segments.delivery import deliver
from regulars.warehouse.duckdb import DuckDBWarehouse

D1, D2 = date(2026, 1, 5), date(2026, 1, 6)
MEMBERS = """
insert into main.members
select d, 'u' || (i * 7919 % 1000003), 'tier ' || i % 5, case when i % 1000 = 3 then '=' || i end, i % 100, i, d
from range(200000) as r(i), (values (date '2026-01-05', 0), (date '2026-01-06', 1)) as t(d, shift)
where (i + shift) % 20 > 0
"""
HISTORY = """
insert into marts.loyalty_history
select 'u' || (i * 7919 % 1000003), i % 7 > 0, false, date '2026-01-05', null from range(200000) as r(i)
"""


def play(company, engine):
    run = Run("run-1", "segment", D1, datetime(2026, 1, 9))
    made = [
        deliver(
            company.segment(holdout_pct=10),
            engine=engine,
            storage=company.storage,
            settings=company.settings,
            run=run,
            as_of=day,
        )
        for day in (D1, D2)
    ]
    return [delivered.manifest for delivered in made]


def test_equal_bytes_on_any_number_of_threads(new_company):
    results = []
    for threads in (1, 3):
        company = new_company(f"threads-{threads}", threads=threads)
        company.welcome()
        company.land(D1, {})
        company.connection.execute(MEMBERS)
        company.connection.execute(HISTORY)
        company.connection.close()
        company.settings.warehouse_path.parent.mkdir(parents=True, exist_ok=True)
        (company.folder / "warehouse.duckdb").rename(company.settings.warehouse_path)
        with DuckDBWarehouse(company.settings) as warehouse:
            results.append(play(company, warehouse))
            assert warehouse.query("select table_name from duckdb_tables() where temporary") == []
    assert results[0] == results[1]
    first, second = results[0]
    assert (first.members, second.members) == (190000, 190000)
    assert first.rows + sum(first.withheld.values()) == first.members
    assert second.rows == first.rows + second.entered - second.left
    assert first.file("full", "csv").cells_neutralised == first.file("entered", "csv").cells_neutralised > 0
    assert first.file("full", "parquet").cells_neutralised == 0

"""Time of the raw and marts gates on big data, against hand-written passes over the same rows.

python benchmarks/gates.py [users, default 500000]
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from regulars.engine import quote
from regulars.quality.gates import run_gate
from regulars.quality.suites import list_suites

BY_HAND = """
    select count(*), {counts}, {distinct}, avg(case when u.user_id is not null then 1 else 0 end),
        sum(case when k.n > 1 then 1 else 0 end)
    from (select {columns} from raw.{table} where _as_of = date '2026-01-09') as b
    left join (select distinct user_id from raw.user_profile where _as_of = date '2026-01-09') as u using (user_id)
    left join (
        select {key}, count(*) as n from raw.{table} where _as_of = date '2026-01-09' group by {key}
    ) as k using ({key})
"""


def load_builder() -> object:
    path = Path(__file__).parent.parent / "tests" / "integration" / "quality" / "small_warehouse.py"
    spec = importlib.util.spec_from_file_location("small_warehouse", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main(users: int) -> None:
    sw = load_builder()
    scaled = {
        table: (
            count if count < 100 else users * (2 if table == "user_activity" else 1),
            {
                name: text.replace("% 400", f"% {users}")
                .replace("'0')", "'0')")
                .replace("//400", f"//{users}")
                .replace("// 400", f"// {users}")
                for name, text in columns.items()
            },
        )
        for table, (count, columns) in sw.ROWS.items()
    }
    sw.ROWS.clear()
    sw.ROWS.update(scaled)
    sw.EARLIER = 3
    import great_expectations  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        settings = sw.make_warehouse(Path(folder))
        to_parquet(settings.warehouse_path, Path(folder), list(scaled))
        for layer in ("raw", "marts"):
            total = 0.0
            for table in list_suites(layer):
                started = time.perf_counter()
                result = run_gate(layer, [table], settings=settings, run=sw.RUN, contracts=sw.CONTRACTS)
                seconds = time.perf_counter() - started
                total += seconds
                hand = by_hand(settings.warehouse_path, sw.CONTRACTS[table]) if layer == "raw" else 0.0
                print(f"{layer}.{table:30} gate {seconds:6.2f} s   by hand {hand:6.2f} s   {len(result.checks)} checks")
            print(f"{layer}: {total:.1f} s")


def to_parquet(path: Path, folder: Path, tables: list[str]) -> None:
    """Raw tables as the warehouse has them: views over Parquet files, one per day."""
    with duckdb.connect(str(path)) as connection:
        for table in tables:
            files = []
            for (day,) in connection.execute(f"select distinct _as_of from raw.{table} order by 1").fetchall():
                file = folder / table / f"as_of={day}" / "part-0000.parquet"
                file.parent.mkdir(parents=True)
                connection.execute(
                    f"copy (select * exclude (_as_of) from raw.{table} where _as_of = date '{day}') to "
                    f"{quote(str(file))} (compression zstd)"
                )
                files.append(quote(str(file)))
            connection.execute(f"drop table raw.{table}")
            connection.execute(
                f"create view raw.{table} as select * exclude (as_of), as_of as _as_of "
                f"from read_parquet([{', '.join(files)}], hive_partitioning = true, hive_types = {{'as_of': date}})"
            )


def by_hand(path: Path, contract: object) -> float:
    plain = [column.name for column in contract.columns if not column.pii]
    if "user_id" not in plain or contract.key == ("user_id",):
        return 0.0
    query = BY_HAND.format(
        table=contract.table,
        columns=", ".join(plain),
        key=", ".join(contract.key),
        counts=", ".join(f"count(b.{name})" for name in plain),
        distinct=", ".join(f"approx_count_distinct(b.{name})" for name in plain[-2:]),
    )
    with duckdb.connect(str(path)) as connection:
        started = time.perf_counter()
        connection.execute(query).fetchall()
        return time.perf_counter() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)

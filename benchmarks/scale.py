"""Bytes and rows per user of a home that was filled by benchmarks/day.py, and what they come to at other sizes.

python benchmarks/scale.py FOLDER          # with home/landing and a warehouse (before.duckdb or home/warehouse.duckdb)

Landed files are counted as they lie there; tables of marts and segments as Parquet with zstd, which is near to how Snowflake keeps
them. Nothing is guessed here: what a virtual warehouse costs is said in docs/scale.md, with its source.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import duckdb

from regulars.manifest import committed_manifests
from regulars.storage import FolderStorage

SIZES = (1_000_000, 10_000_000, 100_000_000)


def landed(folder: Path) -> tuple[dict[str, tuple[float, float]], int]:
    """Rows and bytes of a landed day by table (mean of all days), and the number of days."""
    storage = FolderStorage(folder)
    found, days = {}, 1
    for table in storage.names(""):
        manifests = committed_manifests(storage, table, set())
        if manifests:
            days = max(days, len({manifest.as_of for manifest in manifests}))
            count = len({manifest.as_of for manifest in manifests})
            found[table] = (sum(m.rows_loaded for m in manifests) / count, sum(m.bytes for m in manifests) / count)
    return found, days


def kept(warehouse: Path) -> dict[str, tuple[int, int]]:
    """Rows and compressed bytes of every table of marts and segments."""
    found = {}
    with duckdb.connect(str(warehouse), read_only=True) as connection, tempfile.TemporaryDirectory() as scratch:
        connection.execute("set threads = 1; set memory_limit = '2GB'")
        listed = "select schema_name, table_name from duckdb_tables() where schema_name in ('intermediate', 'marts', 'segments')"
        for schema, table in connection.execute(listed).fetchall():
            path = Path(scratch) / f"{table}.parquet"
            ((rows,),) = connection.execute(
                f"copy {schema}.{table} to '{path}' (format parquet, compression zstd)"
            ).fetchall()
            found[f"{schema}.{table}"] = (rows, path.stat().st_size)
    return found


def main(folder: Path) -> None:
    """Print the measured table, and the sizes that follow from it."""
    warehouse = next(path for path in (folder / "before.duckdb", folder / "home" / "warehouse.duckdb") if path.exists())
    tables, days = landed(folder / "home" / "landing")
    stored = kept(warehouse)
    users = stored["marts.loyalty_master"][0]
    print(f"{users:,} users, {days} days")
    for name, (rows, size) in {**tables, **stored}.items():
        if rows:
            print(f"{name:<45} {rows:>14,.0f} rows {size:>14,.0f} bytes {size / rows:>8.1f} bytes a row")
    profile = tables.get("user_profile", (0, 0))
    events = [sum(values) for values in zip(*(v for name, v in tables.items() if name != "user_profile"), strict=True)]
    growing = ("marts.loyalty_history", "marts.user_daily_activity", "segments.membership")
    grown = [sum(values) for values in zip(*(stored[name] for name in growing if name in stored), strict=True)]
    for size in SIZES:
        factor = size / users
        print(
            f"{size:>12,} users: a snapshot of profiles {factor * profile[0]:,.0f} rows, {factor * profile[1] / 1e9:,.2f} GB; "
            f"events a day {factor * events[0]:,.0f} rows, {factor * events[1] / 1e9:,.2f} GB; history, activity and membership "
            f"grow by {factor * grown[0] / days:,.0f} rows, {factor * grown[1] / days / 1e9:,.2f} GB a day"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Time and memory of one day of sample data, by table: python benchmarks/sample.py [users, default 1000000]."""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from regulars.sample import TABLES, SampleSpec, write_sample


def main() -> None:
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    spec = SampleSpec(users=users, days=1, faults=False)
    folder = Path(tempfile.mkdtemp(prefix="regulars-bench-"))
    try:
        rows_in_all, started = 0, time.perf_counter()
        for table in TABLES:
            begun = time.perf_counter()
            rows = write_sample(spec, folder, tables=[table])[table]
            seconds = time.perf_counter() - begun
            rows_in_all += rows
            print(f"{table:24}{rows:>12,} rows{seconds:>8.2f} s")
        size = sum(path.stat().st_size for path in folder.rglob("*.csv"))
        print(f"{'all':24}{rows_in_all:>12,} rows{time.perf_counter() - started:>8.2f} s, {size / 1e6:,.0f} MB CSV")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

"""A sample as files: what each source would deliver on each day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import duckdb

from regulars.engine import quote
from regulars.errors import ConfigError
from regulars.sample.draws import sample_engine
from regulars.sample.faults import plan_faults
from regulars.sample.planted import write_planted
from regulars.sample.spec import SampleSpec
from regulars.sample.tables import TABLES, Variant, day_rows, variants_of

Format = Literal["csv", "parquet"]
Progress = Callable[[str, int, int], None]  # what is being made, steps done, steps in all


def write_sample(
    spec: SampleSpec,
    out_dir: Path,
    formats: Iterable[Format] = ("csv",),
    *,
    tables: Iterable[str] | None = None,
    threads: int = 2,
    memory_limit: str = "1GB",
    progress: Progress | None = None,
) -> dict[str, int]:
    """Write `<out_dir>/<table>/<YYYY-MM-DD>.<format>` for every day, and `planted.json`. Returns rows by table.

    Snapshot tables are whole, event tables hold what reached the source on that day, upsert tables what changed. Other
    deliveries of a day stand in `<out_dir>/variants/<variant>/<table>/`. All columns are text; CSV has a header and
    writes null as an empty field. Lines that are no rows (planted in CSV only) are not counted.
    """
    chosen, kinds = list(TABLES if tables is None else tables), list(formats)
    unknown = [
        *(name for name in chosen if name not in TABLES),
        *(kind for kind in kinds if kind not in ("csv", "parquet")),
    ]
    if unknown:
        raise ConfigError(
            f"a sample has no {', '.join(unknown)}", remedy=f"tables: {', '.join(TABLES)}; formats: csv, parquet"
        )
    counts = dict.fromkeys(chosen, 0)
    steps, done = spec.days * len(chosen), 0
    engine = sample_engine(threads, memory_limit)
    try:
        for day in range(spec.days):
            for table in chosen:
                if progress:
                    progress(f"{table} {spec.day_at(day)}", done, steps)
                variants: tuple[Variant, ...] = ("whole", *variants_of(spec, table, day))
                for variant in variants:
                    folder = out_dir / table if variant == "whole" else out_dir / "variants" / variant / table
                    folder.mkdir(parents=True, exist_ok=True)
                    for kind in kinds:
                        rows = _write_day(engine, spec, table, day, variant, folder, kind)
                    counts[table] += rows if variant == "whole" else 0
                done += 1
    finally:
        engine.close()
    write_planted(out_dir / "planted.json", plan_faults(spec).planted)
    if progress:
        progress("done", steps, steps)
    return counts


def _write_day(
    engine: duckdb.DuckDBPyConnection,
    spec: SampleSpec,
    table: str,
    day: int,
    variant: Variant,
    folder: Path,
    kind: Format,
) -> int:
    target = folder / f"{spec.day_at(day)}.{kind}"
    draft = target.with_name(f".{target.name}")
    options = "format csv, header true" if kind == "csv" else "format parquet, compression zstd"
    query = day_rows(spec, table, day, variant)
    [(rows,)] = engine.execute(f"copy ({query}) to {quote(str(draft))} ({options})").fetchall()
    edit = plan_faults(spec).edits.get((table, day))
    if kind == "csv" and edit and edit.tail and variant != "shrunken":
        with open(draft, "ab") as file:
            file.writelines(edit.tail)
    draft.replace(target)
    return int(rows)

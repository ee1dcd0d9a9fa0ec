"""Guards: is a freshly landed batch like its predecessors? Judged once; the verdict stands in the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from statistics import median

import duckdb

from regulars.batches import effective
from regulars.contracts import Contract
from regulars.engine import allow_s3, identifier, quote
from regulars.manifest import Manifest, Verdict, day_manifests, landed_days
from regulars.parts import Draft
from regulars.settings import S3Settings
from regulars.storage import Storage

COMPARED = 7  # accepted days before this one
ENOUGH = 3  # with fewer, only emptiness blocks
LEAST_SHARE = 0.5  # of their median rows
LEAST_EXPECTED = 10  # values of a column, so that none at all is no chance
MOST_KEYS_GONE = 0.1  # of the newest one's keys


def judge(
    storage: Storage,
    contract: Contract,
    as_of: date,
    draft: Draft,
    filled: Mapping[str, int],
    gone_of: Callable[[list[Manifest]], float | None],
    *,
    accept: bool = False,
) -> Verdict:
    """Verdict on a drafted batch; `filled` counts the values of each column, `gone_of` gives the share of an earlier
    day's keys that the batch lacks. `accept` overrules what blocks.

    A snapshot is blocked when it is empty, has under half the median rows of up to seven earlier accepted days, or
    lacks more than 10 % of the newest one's keys. For append and upsert tables an empty day is only recorded. A batch
    of any mode is blocked when a column that had values has none any more.
    """
    verdict = _judge(storage, contract, as_of, draft, filled, gone_of)
    return verdict.model_copy(update={"status": "overridden"}) if accept and verdict.status == "blocked" else verdict


def _judge(
    storage: Storage,
    contract: Contract,
    as_of: date,
    draft: Draft,
    filled: Mapping[str, int],
    gone_of: Callable[[list[Manifest]], float | None],
) -> Verdict:
    rows = draft.rows_loaded
    earlier = earlier_days(storage, contract.table, as_of, most=COMPARED if contract.mode == "snapshot" else 1)
    vanished = columns_vanished(draft, filled, earlier) if rows else []
    if contract.mode != "snapshot":
        if not rows:
            return Verdict(reasons=(f"no rows for {as_of}; that is not an error for mode {contract.mode}",))
        return Verdict(status="blocked" if vanished else "accepted", reasons=tuple(vanished))
    counts = [sum(manifest.rows_loaded for manifest in day) for day in earlier]
    expected = float(median(counts)) if counts else None
    reasons = ["the snapshot has no rows"] if rows == 0 else vanished
    gone = None
    if len(earlier) >= ENOUGH and rows:
        if expected and rows < LEAST_SHARE * expected:
            reasons.append(
                f"{rows} rows, under half of {expected:g}, the median of the {len(earlier)} accepted days before"
            )
        gone = gone_of(earlier[0])
        if gone is not None and gone > MOST_KEYS_GONE:
            reasons.append(f"{gone:.1%} of the keys of {earlier[0][0].as_of} are gone, more than {MOST_KEYS_GONE:.0%}")
    return Verdict(
        status="blocked" if reasons else "accepted",
        reasons=tuple(reasons),
        compared_batches=len(earlier),
        expected_rows=expected,
        keys_gone_pct=None if gone is None else round(100 * gone, 2),
    )


def columns_vanished(draft: Draft, filled: Mapping[str, int], earlier: list[list[Manifest]]) -> list[str]:
    """Columns that had values on the newest accepted day before and have none now, in words.

    A column that the source lacks counts at once. One that is there but empty counts where chance does not explain
    it: if rows were filled as then, at least ten values were to be expected.
    """
    if not earlier:
        return []
    before: Counter[str] = Counter()
    for manifest in earlier[0]:
        before.update(manifest.filled)
    rows = sum(manifest.rows_loaded for manifest in earlier[0])
    reasons = []
    for name, count in before.items():
        day = earlier[0][0].as_of
        if name in draft.absent:
            reasons.append(f"{draft.absent[name]} has no column for {name}, which had {count} values on {day}")
        elif name not in filled and count * draft.rows_loaded >= LEAST_EXPECTED * rows:
            reasons.append(f"{name} has no value, and had {count} in {rows} rows on {day}")
    return reasons


def earlier_days(storage: Storage, table: str, as_of: date, most: int = COMPARED) -> list[list[Manifest]]:
    """Effective accepted batches of each earlier landed day, newest day first, at most `most` days."""
    days: list[list[Manifest]] = []
    for day in sorted((day for day in landed_days(storage, table) if day < as_of), reverse=True):
        accepted = [manifest for manifest in day_manifests(storage, table, day) if manifest.is_accepted]
        count = effective(manifest.batch for manifest in accepted)
        found = [manifest for manifest in accepted if manifest.batch in count]
        if found:
            days.append(found)
        if len(days) == most:
            break
    return days


def keys_gone(
    storage: Storage,
    s3: S3Settings,
    contract: Contract,
    parts: list[str],
    engine: duckdb.DuckDBPyConnection,
    before: list[Manifest],
) -> float | None:
    """Share of the distinct keys of `before` that `parts` lack; None where the key was another then."""
    if not is_same_key(contract, before):
        return None
    if storage.root.startswith("s3://"):
        allow_s3(engine, s3)
    old = [storage.url(f"{manifest.folder}/{part.name}") for manifest in before for part in manifest.parts]
    key = ", ".join(map(identifier, contract.key))
    row = engine.execute(
        f"with old as (select distinct {key} from {_parquet(old)}), new as (select distinct {key} from "
        f"{_parquet(parts)}) "
        f"select (select count(*) from old), (select count(*) from old semi join new using ({key}))"
    ).fetchone()
    if row is None or row[0] == 0:
        return None
    return float((row[0] - row[1]) / row[0])


def is_same_key(contract: Contract, before: list[Manifest]) -> bool:
    """Whether the key was what it is now when these batches were landed."""
    types = dict(contract.landed_columns)
    return all(dict(manifest.columns).get(name) == types[name] for manifest in before for name in contract.key)


def _parquet(files: list[str]) -> str:
    return f"read_parquet([{', '.join(map(quote, files))}], hive_partitioning = false)"

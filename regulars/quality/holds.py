"""Putting rows that detection found into quarantine: their day lands again as a revision in which they are rejected rows.

Nothing is lost: a held row keeps its record number and stands in quarantine as JSON of its columns, under the rule `finding:<name>`. A
replay brings it back; landing the day again from its source (`refresh`) does too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from regulars.batches import Batch
from regulars.contracts import Contract
from regulars.engine import allow_s3, identifier, local_engine, quote
from regulars.errors import ConfigError
from regulars.manifest import Manifest, commit_batch, read_manifest
from regulars.parts import POSITION, Draft
from regulars.quality.finding_rules import RULES, FindingRule
from regulars.run import Run, code_version
from regulars.settings import Settings
from regulars.spool import open_spool
from regulars.storage import Storage, open_storage
from regulars.typed_pieces import PARQUET
from regulars.warehouse.base import Warehouse

FINDING = "finding:"
DAYS = """
select l.as_of, l.landing
from ops.effective_batches as e
inner join ops.ingestion_logs as l on e.batch_id = l.batch_id and l.status = 'loaded'
where e.table_name = ? and e.as_of in (
    select distinct r._as_of from raw.{table} as r
    inner join (select distinct {key} from marts.anomalies where rule = ?) as a on {same}
)
order by l.as_of, l.revision
"""


@dataclass(frozen=True)
class Held:
    """One day of a table: the revision that holds rows back, and how many."""

    manifest: Manifest
    rows: int


def held_rule(name: str, contracts: dict[str, Contract] | None = None) -> FindingRule:
    """The rule of that name. Raises ConfigError where there is none, or where it is not about rows of a raw table."""
    able = [rule.name for rule in RULES.values() if contracts is None or rule.table in contracts]
    if name not in able:
        raise ConfigError(f"no rows can be held by rule {name!r}", remedy=f"one of: {', '.join(able)}")
    return RULES[name]


def hold(
    warehouse: Warehouse, contract: Contract, settings: Settings, run: Run, rule: FindingRule, days: Sequence[date] = ()
) -> list[Held]:
    """Land the days of the rows that `rule` found (all, or `days`) again without them. The caller loads the batches.

    A row is known by its key, in every batch that has it. Days that were held already give nothing more to hold.
    """
    storage = open_storage(settings.landing_root, settings.s3)
    key = [identifier(name) for name in contract.key]
    same = " and ".join(f"r.{name} = a.{name}" for name in key)
    asked = DAYS.format(table=contract.table, key=", ".join(key), same=same)
    folders: dict[date, list[str]] = {}
    for day, landing in warehouse.query(asked, [contract.table, rule.name]):
        if not days or day in days:
            folders.setdefault(day, []).append(landing)
    if not folders:
        return []
    with open_spool(settings) as spool:
        keys = spool / "keys.parquet"
        warehouse.export(
            f"select distinct {', '.join(key)} from marts.anomalies where rule = {quote(rule.name)}", keys, "parquet"
        )
        with local_engine(settings, spool) as engine:
            if storage.root.startswith("s3://"):
                allow_s3(engine, settings.s3)
            found = [
                _hold_day(
                    storage, contract, run, rule, [read_manifest(storage, one) for one in landings], keys, engine, spool
                )
                for landings in folders.values()
            ]
    return [one for one in found if one is not None]


def _hold_day(
    storage: Storage, contract: Contract, run: Run, rule: FindingRule, kept: Sequence[Manifest], keys: Path,
    engine: duckdb.DuckDBPyConnection, spool: Path,
) -> Held | None:  # fmt: skip
    newest, day = kept[-1], kept[-1].as_of
    parts = [quote(storage.url(f"{m.folder}/{part.name}")) for m in kept for part in m.parts]
    if not parts:
        return None
    same = " and ".join(f"l.{identifier(name)} = k.{identifier(name)}" for name in contract.key)
    columns = ", ".join(f"l.{identifier(name)}" for name, _ in contract.landed_columns)
    rows = (
        f"(select *, {POSITION} as _position from read_parquet([{', '.join(parts)}], union_by_name = true, "
        "file_row_number = true, filename = true, hive_partitioning = false)) as l"
    )
    known = f"read_parquet({quote(str(keys))}) as k"
    fields = ", ".join(
        f"{quote(column.name)}, cast(l.{identifier(column.name)} as varchar)" for column in contract.columns
    )
    held = (
        f"select {quote(f'raw.{contract.table} of ')} || split_part(l.filename, '/', -2) as source, "
        "l._position as record_number, cast(null as bigint) as byte_offset, "
        f"{quote(FINDING + rule.name)} as rule, {quote(rule.says)} as reason, cast(json_object({fields}) as varchar) as raw "
        f"from {rows} semi join {known} on {same}"
    )
    left = f"select {columns}, l._position as _record_number from {rows} anti join {known} on {same}"
    draft = Draft()
    good = _write(engine, left, "_record_number", spool / f"held-good-{day}.parquet")
    draft.add(draft.parts, spool / f"held-good-{day}.parquet", f"raw.{contract.table}", good)
    rejected = [union for union in [_open_rejects(storage, kept), held] if union]
    bad = _write(engine, " union all ".join(rejected), "source, record_number", spool / f"held-bad-{day}.parquet")
    draft.add(draft.rejects, spool / f"held-bad-{day}.parquet", f"raw.{contract.table}", bad)
    count = sum(m.rows_loaded for m in kept) - good
    if not count:
        return None
    by_rule = dict(
        engine.execute(
            f"select rule, count(*) from read_parquet({quote(str(spool / f'held-bad-{day}.parquet'))}) group by rule"
        ).fetchall()
    )
    digest = hashlib.sha256("\n".join([run.run_id, draft.content]).encode()).hexdigest()
    batch = Batch(contract.table, day, newest.revision + 1, "full", digest)
    duplicates = sum(m.rows_duplicate for m in kept)
    manifest = newest.model_copy(
        update={
            "revision": batch.revision, "scope": "full", "content": digest, "batch_id": batch.batch_id,
            "parts": tuple(draft.parts), "rejects": tuple(draft.rejects), "replays": (), "rejects_by_rule": by_rule,
            "rows_read": good + bad + duplicates, "rows_loaded": good, "rows_quarantined": bad, "rows_duplicate": duplicates,
            "rows_filtered": sum(m.rows_filtered for m in kept), "code_version": code_version(), "landed_at": run.started_at,
            "position": newest.position | {"held": {"rule": rule.name, "replaces": [m.batch_id for m in kept]}},
        }
    )  # fmt: skip
    commit_batch(storage, manifest, draft.files)
    return Held(manifest, count)


def _open_rejects(storage: Storage, kept: Sequence[Manifest]) -> str:
    """Rejected rows of the day that no replay has landed."""
    files = " union all by name ".join(
        f"select source, record_number, byte_offset, rule, reason, raw, {quote(m.batch_id)} as batch_id "
        f"from read_parquet({quote(storage.url(f'{m.folder}/{part.name}'))}, hive_partitioning = false)"
        for m in kept
        for part in m.rejects
    )
    if not files:
        return ""
    replays = [quote(storage.url(f"{m.folder}/{part.name}")) for m in kept for part in m.replays]
    left = f"anti join read_parquet([{', '.join(replays)}]) using (batch_id, source, record_number)" if replays else ""
    return f"select source, record_number, byte_offset, rule, reason, raw from ({files}) {left}"


def _write(engine: duckdb.DuckDBPyConnection, query: str, order: str, path: Path) -> int:
    """Rows written to a file of a batch."""
    written = engine.execute(f"copy (from ({query}) order by {order}) to {quote(str(path))} {PARQUET}").fetchone()
    return int(written[0]) if written else 0

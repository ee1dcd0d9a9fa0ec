"""Retention of landings: what is superseded goes, what is old loses its personal columns, and nothing else changes.

A day past `landing_retention_days` is replaced by a recorded revision with the same rows, record numbers and
pseudonyms, in which personal columns and the raw form of quarantined rows are empty. Marts read only pseudonyms, so
their history, and a rebuild of it, stay the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from regulars.batches import Batch
from regulars.contracts import Contract
from regulars.engine import allow_s3, identifier, local_engine, quote
from regulars.manifest import Manifest, Part, commit_batch, read_manifest
from regulars.run import Run, code_version
from regulars.settings import Settings
from regulars.spool import open_spool
from regulars.storage import Storage, open_storage
from regulars.warehouse.base import Warehouse

OLD_BATCHES = """
select l.table_name, l.as_of, l.landing, l.batch_id, e.batch_id is not null as is_effective
from ops.ingestion_logs as l
left join ops.effective_batches as e on l.batch_id = e.batch_id
where l.status = 'loaded' and l.as_of < ?
order by l.table_name, l.as_of, l.revision
"""
MARK = "retention"
EMPTIED_REJECTS = "source, record_number, byte_offset, rule, reason, cast(null as varchar) as raw"


@dataclass(frozen=True)
class Retired:
    """What retention did to one table and day: batches removed, and whether personal columns were emptied."""

    table: str
    as_of: date
    removed: tuple[str, ...]
    emptied: bool


def retire(
    warehouse: Warehouse, contracts: Mapping[str, Contract], settings: Settings, run: Run, finished_at: datetime
) -> list[Retired]:
    """Apply `landing_retention_days` as of the run's day; nothing happens where it is not set. Safe to repeat."""
    if settings.landing_retention_days is None:
        return []
    storage = open_storage(settings.landing_root, settings.s3)
    limit = run.as_of - timedelta(days=settings.landing_retention_days)
    days: dict[tuple[str, date], list[tuple[str, str, bool]]] = {}
    for table, as_of, landing, batch_id, is_effective in warehouse.query(OLD_BATCHES, [limit]):
        if table in contracts:
            days.setdefault((table, as_of), []).append((landing, batch_id, is_effective))
    done = []
    for (table, as_of), batches in days.items():
        kept = [read_manifest(storage, landing) for landing, _, is_effective in batches if is_effective]
        emptied = (
            _without_personal_data(storage, contracts[table], kept, settings, run)
            if _holds_personal_data(contracts[table], kept)
            else None
        )
        gone = [(landing, batch_id) for landing, batch_id, is_effective in batches if emptied or not is_effective]
        if gone:
            warehouse.unload(contracts[table], [batch_id for _, batch_id in gone], emptied, run, finished_at)
            done.append(Retired(table, as_of, tuple(batch_id for _, batch_id in gone), emptied is not None))
    _remove_retired(warehouse, storage)
    return done


def _remove_retired(warehouse: Warehouse, storage: Storage) -> None:
    """Delete what the ledger has let go of, also where an earlier run was killed before it could."""
    for landing, batch_id in warehouse.query(
        "select landing, batch_id from ops.ingestion_logs where status = 'retired'"
    ):
        storage.delete_tree(landing)
        warehouse.execute(
            "update ops.ingestion_logs set status = 'removed' where batch_id = ? and status = 'retired'", [batch_id]
        )


def _holds_personal_data(contract: Contract, kept: Sequence[Manifest]) -> bool:
    """Personal columns, or quarantined rows (whose raw form may hold anything), that no retention has emptied yet."""
    return any(MARK not in manifest.position and (contract.personal_columns or manifest.rejects) for manifest in kept)


def _without_personal_data(
    storage: Storage, contract: Contract, kept: Sequence[Manifest], settings: Settings, run: Run
) -> Manifest:
    """Land the effective batches of one day again as one full revision, with personal columns and raw forms empty."""
    with open_spool(settings) as spool:
        parts = [
            _rewrite(storage, settings, spool, f"{m.folder}/{part.name}", part, n, _emptied_rows(contract))
            for n, (m, part) in _numbered(kept, "parts")
        ]
        rejects = [
            _rewrite(storage, settings, spool, f"{m.folder}/{part.name}", part, n, EMPTIED_REJECTS)
            for n, (m, part) in _numbered(kept, "rejects")
        ]
        newest = kept[-1]
        digest = hashlib.sha256("\n".join(part.sha256 for part in (*parts, *rejects)).encode()).hexdigest()
        batch = Batch(contract.table, newest.as_of, newest.revision + 1, "full", digest)
        manifest = newest.model_copy(
            update={
                "revision": batch.revision, "scope": "full", "content": digest, "batch_id": batch.batch_id,
                "parts": tuple(parts), "rejects": tuple(rejects), "replays": (),
                "rows_read": sum(m.rows_read for m in kept), "rows_loaded": sum(m.rows_loaded for m in kept),
                "rows_quarantined": sum(m.rows_quarantined for m in kept), "rows_duplicate": sum(m.rows_duplicate for m in kept),
                "rows_filtered": sum(m.rows_filtered for m in kept), "code_version": code_version(), "landed_at": run.started_at,
                "position": {MARK: {"replaces": [m.batch_id for m in kept]}},
            }
        )  # fmt: skip
        commit_batch(storage, manifest, {part.name: spool / part.name for part in (*parts, *rejects)})
        return manifest


def _numbered(kept: Sequence[Manifest], kind: str) -> list[tuple[int, tuple[Manifest, Part]]]:
    return list(enumerate((manifest, part) for manifest in kept for part in getattr(manifest, kind)))


def _emptied_rows(contract: Contract) -> str:
    columns = [
        f"cast(null as {kind}) as {identifier(name)}" if name in contract.personal_columns else identifier(name)
        for name, kind in contract.landed_columns
    ]
    return ", ".join([*columns, "coalesce(_record_number, file_row_number + 1) as _record_number"])


def _rewrite(
    storage: Storage, settings: Settings, spool: Path, source: str, part: Part, number: int, columns: str
) -> Part:
    target = spool / f"{part.name.split('-')[0]}-{number:04d}.parquet"
    with local_engine(settings, spool) as engine:
        if storage.root.startswith("s3://"):
            allow_s3(engine, settings.s3)
        rows = f"select {columns} from read_parquet({quote(storage.url(source))}, file_row_number = true, hive_partitioning = false)"
        engine.execute(f"copy ({rows}) to {quote(str(target))} (format parquet, compression zstd)")
    with open(target, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return part.model_copy(update={"name": target.name, "bytes": target.stat().st_size, "sha256": digest})

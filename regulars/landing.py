"""Landing: one table of one business day, from its source to an immutable batch with a manifest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from regulars import guards
from regulars.batches import Batch, Scope
from regulars.contracts import Contract
from regulars.engine import local_engine
from regulars.errors import ConfigError
from regulars.manifest import (
    Manifest,
    Verdict,
    commit_batch,
    committed_folders,
    day_manifests,
    landed_days,
    remove_unfinished,
    write_manifest,
)
from regulars.parts import Draft, count_filled, draft_parts
from regulars.privacy import set_pseudonym_key
from regulars.run import Run, code_version
from regulars.settings import Settings
from regulars.sources import reader_for
from regulars.sources.base import Request, make_request
from regulars.sources.config import Sources
from regulars.spool import open_spool
from regulars.storage import Storage, open_storage


@dataclass(frozen=True)
class Landed:
    """`created`: this call wrote the batch; otherwise it was there already."""

    manifest: Manifest
    created: bool


def land(
    contract: Contract, sources: Sources, settings: Settings, run: Run, *, refresh: bool = False, accept: bool = False
) -> Landed:
    """Land `contract`'s table for `run.as_of`.

    An accepted landing of that day is returned as it is, unless `refresh` asks the source again; equal content makes
    no new revision. A blocked one is never reused: the source is asked again. `accept` overrules the guards.
    Raises SourceError, ContractError, ConfigError or TransientError; nothing is left of a landing that failed.
    """
    storage = open_storage(settings.landing_root, settings.s3)
    existing = day_manifests(storage, contract.table, run.as_of)
    full = [found for found in existing if found.scope == "full"]
    accepted = [found for found in full if found.is_accepted]
    newest = full[-1] if full else None
    if accepted and not refresh and not (accept and newest is not accepted[-1]):
        return Landed(accepted[-1], created=False)
    later = [
        day
        for day in landed_days(storage, contract.table)
        if day > run.as_of and committed_folders(storage, contract.table, day)
    ]
    is_reachable(contract, sources, run.as_of, max(later, default=None))
    remove_unfinished(storage, contract.table, run.as_of)

    request = make_request(contract, sources, settings, run.as_of)
    reader = reader_for(request.connection.kind)
    with open_spool(settings) as spool, local_engine(settings, spool) as engine:
        set_pseudonym_key(engine, settings.pseudonym_secret())
        with reader.open(request, engine, spool) as pieces:
            draft = draft_parts(request, pieces, engine, spool)
        if newest is not None and newest.content == draft.content:
            if newest.is_accepted or not accept:
                return Landed(newest, created=False)
            manifest = newest.model_copy(update={"verdict": newest.verdict.model_copy(update={"status": "overridden"})})
            write_manifest(storage, manifest)
            return Landed(manifest, created=True)
        filled = count_filled(draft, contract, engine)
        verdict = guards.judge(storage, settings.s3, contract, run.as_of, draft, filled, engine)
        if accept and verdict.status == "blocked":
            verdict = verdict.model_copy(update={"status": "overridden"})
        revision = max((found.revision for found in existing), default=0) + 1
        return Landed(commit(storage, request, draft, run, revision, "full", verdict, filled), created=True)


def is_reachable(contract: Contract, sources: Sources, as_of: date, newest_day: date | None) -> None:
    """Raise ConfigError where the source only shows its present state, and a later day is landed already."""
    source = sources.tables.get(contract.table)
    if source is None or newest_day is None or newest_day <= as_of:
        return
    request = make_request(contract, sources, Settings.model_construct(), as_of)
    if reader_for(request.connection.kind).is_live(request):
        raise ConfigError(
            f"table {contract.table}: {as_of} cannot be read any more: its source is a live snapshot, and "
            f"{newest_day} is landed already",
            remedy="leave that day out, or point the table at dated files ({as_of} in path) in sources.yml",
        )


def plan_extract(contract: Contract, sources: Sources, settings: Settings, as_of: date) -> list[dict[str, Any]]:
    """What landing that day would read: files with bytes, or table and SQL, and the window; nothing is written."""
    request = make_request(contract, sources, settings, as_of)
    return reader_for(request.connection.kind).plan(request)


def commit(
    storage: Storage,
    request: Request,
    draft: Draft,
    run: Run,
    revision: int,
    scope: Scope,
    verdict: Verdict,
    filled: dict[str, int] | None = None,
) -> Manifest:
    """Put the draft's files in their place and write the manifest, last."""
    contract = request.contract
    batch = Batch(contract.table, request.as_of, revision, scope, draft.content)
    manifest = Manifest(
        table=contract.table,
        as_of=request.as_of,
        revision=revision,
        scope=scope,
        content=draft.content,
        batch_id=batch.batch_id,
        parts=tuple(draft.parts),
        rejects=tuple(draft.rejects),
        replays=tuple(draft.replays),
        rows_read=draft.rows_loaded + draft.rows_quarantined + draft.rows_duplicate,
        rows_loaded=draft.rows_loaded,
        rows_quarantined=draft.rows_quarantined,
        rows_duplicate=draft.rows_duplicate,
        rows_filtered=draft.rows_filtered,
        rejects_by_rule=draft.rejects_by_rule,
        columns=contract.landed_columns,
        filled=filled or {},
        notes=tuple(draft.notes),
        position={"pieces": draft.positions, "mapping": _fingerprint(request)},
        verdict=verdict,
        contract=contract.fingerprint(),
        settings=request.settings.fingerprint(),
        code_version=code_version(),
        landed_at=datetime.now(UTC).replace(tzinfo=None),
    )
    commit_batch(storage, manifest, draft.files)
    return manifest


def _fingerprint(request: Request) -> str:
    """Hash of the table's entry in sources.yml, 16 hex digits."""
    return hashlib.sha256(request.source.model_dump_json().encode()).hexdigest()[:16]

"""Landing: one table of one business day, from its source to an immutable batch with a manifest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import duckdb

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
    contract: Contract, sources: Sources, settings: Settings, run: Run, *,
    refresh: bool = False, accept: bool = False, since: date | None = None,
) -> Landed:  # fmt: skip
    """Land `contract`'s table for `run.as_of`, with events from `since` on where that is earlier than its lookback.

    An accepted landing of that day is returned as it is, unless `refresh` asks the source again; equal content makes
    no new revision. A blocked one is never reused: the source is asked again. `accept` overrules the guards.
    Raises SourceError, ContractError, ConfigError or TransientError; nothing is left of a landing that failed.
    """
    storage = open_storage(settings.landing_root, settings.s3)
    before = look_up(storage, contract, sources, run, refresh=refresh, accept=accept)
    if before.settled is not None:
        return Landed(before.settled, created=False)
    request = make_request(contract, sources, settings, run.as_of, since)
    _refuse_stage(request)
    reader = reader_for(request.connection.kind)
    with open_spool(settings) as spool, local_engine(settings, spool) as engine:
        set_pseudonym_key(engine, contract, settings)
        with reader.open(request, engine, spool) as pieces:
            draft = draft_parts(request, pieces, engine, spool)
        return commit_draft(storage, request, draft, run, before, engine, accept=accept)


@dataclass(frozen=True)
class Before:
    """What is landed of a table's day: `newest` full batch, and the one that `settled` the day already, if any."""

    newest: Manifest | None
    settled: Manifest | None
    next_revision: int


def look_up(storage: Storage, contract: Contract, sources: Sources, run: Run, *, refresh: bool, accept: bool) -> Before:
    """What is there before a landing; leftovers of killed ones are removed. Raises ConfigError for a day that is gone."""
    existing = day_manifests(storage, contract.table, run.as_of)
    full = [found for found in existing if found.scope == "full"]
    accepted = [found for found in full if found.is_accepted]
    newest = full[-1] if full else None
    revision = max((found.revision for found in existing), default=0) + 1
    if accepted and not refresh and not (accept and newest is not accepted[-1]):
        return Before(newest, accepted[-1], revision)
    later = [
        day
        for day in landed_days(storage, contract.table)
        if day > run.as_of and committed_folders(storage, contract.table, day)
    ]
    is_reachable(contract, sources, run.as_of, max(later, default=None))
    remove_unfinished(storage, contract.table, run.as_of)
    return Before(newest, None, revision)


def same_content(storage: Storage, before: Before, content: str, *, accept: bool) -> Landed | None:
    """The newest batch where it says the same: no new one is made of it, but `accept` may overrule its verdict."""
    newest = before.newest
    if newest is None or newest.content != content:
        return None
    if newest.is_accepted or not accept:
        return Landed(newest, created=False)
    manifest = newest.model_copy(update={"verdict": newest.verdict.model_copy(update={"status": "overridden"})})
    write_manifest(storage, manifest)
    return Landed(manifest, created=True)


def commit_draft(
    storage: Storage, request: Request, draft: Draft, run: Run, before: Before, engine: duckdb.DuckDBPyConnection, *,
    accept: bool,
) -> Landed:  # fmt: skip
    """Judge a draft and make it a batch, unless the newest batch of the day says the same."""
    known = same_content(storage, before, draft.content, accept=accept)
    if known is not None:
        return known
    contract = request.contract
    filled = count_filled(draft, contract, engine)
    parts = [str(draft.files[part.name]) for part in draft.parts]
    gone = partial(guards.keys_gone, storage, request.settings.s3, contract, parts, engine)
    verdict = guards.judge(storage, contract, run.as_of, draft, filled, gone, accept=accept)
    manifest = describe(request, draft, run, before.next_revision, "full", verdict, filled)
    commit_batch(storage, manifest, draft.files)
    return Landed(manifest, created=True)


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


def plan_extract(
    contract: Contract, sources: Sources, settings: Settings, as_of: date, entry: str = ""
) -> list[dict[str, Any]]:
    """What landing that day would read: files with bytes, or table and SQL, and the window; nothing is written. `entry` is
    the place in sources.yml that errors name, if it is not below `tables`."""
    request = make_request(contract, sources, settings, as_of, entry=entry)
    _refuse_stage(request)
    return reader_for(request.connection.kind).plan(request)


def _refuse_stage(request: Request) -> None:
    if request.source.via is not None:
        raise ConfigError(
            f"sources.yml: tables.{request.table}.via: files on a stage are read by Snowflake alone",
            remedy="set REGULARS_WAREHOUSE=snowflake and land the table by a flow, or leave via out, so that a worker "
            "reads the files",
        )


def describe(
    request: Request,
    draft: Draft,
    run: Run,
    revision: int,
    scope: Scope,
    verdict: Verdict,
    filled: dict[str, int] | None = None,
) -> Manifest:
    """The manifest of a drafted batch."""
    contract = request.contract
    batch = Batch(contract.table, request.as_of, revision, scope, draft.content)
    return Manifest(
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
        position={"pieces": draft.positions, "mapping": entry_fingerprint(request)}
        | ({"since": request.since.isoformat()} if request.since else {}),
        verdict=verdict,
        contract=contract.fingerprint(),
        settings=request.settings.fingerprint(),
        code_version=code_version(),
        landed_at=datetime.now(UTC).replace(tzinfo=None),
    )


def entry_fingerprint(request: Request) -> str:
    """Hash of the table's entry in sources.yml, but for who brings the rows there; 16 hex digits."""
    return hashlib.sha256(request.source.model_dump_json(exclude={"mover", "sync"}).encode()).hexdigest()[:16]

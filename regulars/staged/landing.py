"""Landing of files that no worker should touch: Snowflake reads, types and writes them, the manifest comes last."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import date
from functools import partial

from regulars import guards
from regulars.batches import Batch
from regulars.contracts import Contract
from regulars.errors import ContractError, EngineError, RegularsError
from regulars.landing import Landed, describe, look_up, same_content
from regulars.manifest import Manifest, batch_folder, write_manifest
from regulars.parts import Draft
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources import reader_for
from regulars.sources.base import Request, make_request
from regulars.sources.config import Sources
from regulars.staged.listing import StagedFile, StagePlace, check_unchanged, list_files, open_stage
from regulars.staged.refusals import check_possible, format_of_all
from regulars.staged.rows import plan_staged_rows
from regulars.staged.storage_errors import plain_storage_errors
from regulars.staged.text_tables import read_files, scratch_tables
from regulars.staged.typed_table import TypedTable
from regulars.storage import open_storage
from regulars.warehouse.base import Warehouse


def land_staged(
    contract: Contract,
    sources: Sources,
    settings: Settings,
    run: Run,
    warehouse: Warehouse,
    *,
    refresh: bool = False,
    accept: bool = False,
    since: date | None = None,
) -> Landed:
    """Land a table whose entry says `via: stage` for `run.as_of`: the same promises as `regulars.landing.land`.

    The content of the batch is that of its files as S3 tells it: names, sizes and etags. Files that change while they are
    read raise TransientError. Raises SourceError, ContractError, ConfigError or TransientError; nothing is left of a
    landing that failed, but tables that the next one removes where the session was lost.
    """
    request = make_request(contract, sources, settings, run.as_of, since)
    check_possible(request)
    storage = open_storage(settings.landing_root, settings.s3)
    before = look_up(storage, contract, sources, run, refresh=refresh, accept=accept)
    if before.settled is not None:
        return Landed(before.settled, created=False)
    _remove_scratch(request, warehouse)
    with plain_storage_errors(request):
        place = open_stage(request, warehouse)
        files = list_files(request, place, warehouse)
    kind = format_of_all(request, [file.name for file in files])
    content = pinned_content(request, files)
    known = same_content(storage, before, content, accept=accept)
    if known is not None:
        return known
    try:
        typed, draft = _type_files(request, place, files, kind, warehouse)
        draft.pinned = content
        filled = typed.count_filled()
        verdict = guards.judge(
            storage, contract, run.as_of, draft, filled, partial(_keys_gone, typed, warehouse, run), accept=accept
        )
        batch = Batch(contract.table, run.as_of, before.next_revision, "full", content)
        folder = batch_folder(contract.table, run.as_of, batch.batch_id)
        with plain_storage_errors(request):
            typed.unload(folder, draft, source=place.name_of(place.full))
        manifest = describe(request, draft, run, before.next_revision, "full", verdict, filled)
        write_manifest(storage, manifest)
    finally:
        with suppress(RegularsError):  # of a session that was lost the next landing removes what is left
            _remove_scratch(request, warehouse)
    return Landed(manifest, created=True)


def pinned_content(request: Request, files: list[StagedFile]) -> str:
    """Digest over the files, the table's entry in sources.yml and its contract: all that the rows depend on."""
    facts = {
        "files": [file.pinned() for file in files],
        "entry": request.source.model_dump(mode="json", by_alias=True),
        "contract": request.contract.fingerprint(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _type_files(
    request: Request, place: StagePlace, files: list[StagedFile], kind: str, warehouse: Warehouse
) -> tuple[TypedTable, Draft]:
    """The files read and typed, and counted as a draft without files of its own."""
    with plain_storage_errors(request):
        texts = read_files(request, place, files, kind, warehouse)
        check_unchanged(request, place, warehouse, files)
    is_dated = reader_for(request.connection.kind).is_dated(request)
    plans = [plan_staged_rows(request, text, is_dated=is_dated) for text in texts]
    typed = TypedTable(request, warehouse)
    try:
        typed.make([plan.select for plan in plans])
    except EngineError as error:
        if not request.source.columns and not request.source.where:
            raise
        raise ContractError(
            f"table {request.table}: an expression under tables.{request.table} in sources.yml failed: {error.message}",
            remedy="use a TRY_ function in it: a row that it makes null of is then judged by the contract",
        ) from None
    typed.check_files({file.name for file in files})
    draft = Draft(positions=[file.pinned() for file in files])
    for text, plan in zip(texts, plans, strict=True):
        draft.absent |= {name: text.piece.source for name in plan.absent if name not in draft.absent}
        draft.notes += [note for note in (*text.piece.notes, *plan.notes) if note not in draft.notes]
    typed.count(draft, records=sum(text.records for text in texts))
    return typed, draft


def _keys_gone(typed: TypedTable, warehouse: Warehouse, run: Run, before: list[Manifest]) -> float | None:
    """As `guards.keys_gone`, over `raw`: what a killed run landed and did not load is loaded before."""
    contract = typed.contract
    if not guards.is_same_key(contract, before):
        return None
    warehouse.load(contract, before, run, run.started_at)
    return typed.keys_gone(before)


def _remove_scratch(request: Request, warehouse: Warehouse) -> None:
    for table in scratch_tables(request, warehouse):
        warehouse.execute(f"drop table if exists {table}")

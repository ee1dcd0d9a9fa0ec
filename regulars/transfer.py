"""Transfer: a staged table of the operational store into the landing of the warehouse, exactly once.

The table carries a digest of every row, made in PostgreSQL. Their count and sum are the state of the source: nothing is
read where it is that of the newest landing, a killed transfer goes on with the pages it has not read, and what arrived
must have the digests that it left with.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb

from regulars.checkpoints import Checkpoints
from regulars.contracts import Contract
from regulars.engine import identifier, local_engine, quote
from regulars.errors import SourceError
from regulars.landing import Landed, commit_draft, entry_fingerprint, look_up
from regulars.manifest import Manifest, committed_folders, landed_days, read_manifest
from regulars.parts import Draft, draft_parts
from regulars.privacy import set_pseudonym_key
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources import reader_for
from regulars.sources.base import Piece, Request, make_request
from regulars.sources.config import Sources
from regulars.sources.postgres_state import ROW_DIGEST
from regulars.spool import open_spool
from regulars.storage import Storage, open_storage


def transfer(
    contract: Contract, sources: Sources, settings: Settings, run: Run, *,
    refresh: bool = False, accept: bool = False, since: date | None = None,
) -> Landed:  # fmt: skip
    """Land a table that has a column `row_digest`; see `land` for the day, `refresh`, `accept` and `since`.

    `created` is false where the newest landing is of the same state: then no row is read, and none is written. Raises
    SourceError where what arrived is not what left, besides what `land` raises.
    """
    storage = open_storage(settings.landing_root, settings.s3)
    before = look_up(storage, contract, sources, run, refresh=refresh, accept=accept)
    if before.settled is not None:
        return Landed(before.settled, created=False)
    request = make_request(contract, sources, settings, run.as_of, since)
    with open_spool(settings) as spool, local_engine(settings, spool) as engine:
        set_pseudonym_key(engine, contract, settings)
        with reader_for(request.connection.kind).open(request, engine, spool) as opened:
            pieces = list(opened)
            state = _state_of(request, pieces)
            unchanged = _landed_with(storage, request, state) if not refresh else None
            if unchanged is not None:
                return Landed(unchanged, created=False)
            kept = Checkpoints(request, state)
            draft = draft_parts(request, pieces, engine, spool, kept)
        try:
            _compare(request, draft, state, engine)
        except SourceError:
            kept.clear()
            raise
        landed = commit_draft(storage, request, draft, run, before, engine, accept=accept)
        kept.clear()
        return landed


def _state_of(request: Request, pieces: list[Piece]) -> str:
    state = str(pieces[0].position.get("state") or "") if pieces else ""
    if not state:
        raise SourceError(
            f"{request.source.connection}: table {request.table} has no column {ROW_DIGEST}",
            remedy="let the staging model make it: macro row_digest of dbt/operational",
        )
    return state


def _landed_with(storage: Storage, request: Request, state: str) -> Manifest | None:
    """The newest landing of the table, if it was accepted and is what landing that state would make again."""
    for day in reversed(landed_days(storage, request.table)):
        batches = [read_manifest(storage, folder) for folder in committed_folders(storage, request.table, day)]
        whole = [batch for batch in batches if batch.scope == "full"]
        if whole:
            newest = max(whole, key=lambda batch: batch.revision)
            return newest if newest.is_accepted and _made_from(newest) == (
                rows_of(state), entry_fingerprint(request), request.contract.fingerprint(), request.settings.fingerprint(),
            ) else None  # fmt: skip
    return None


def _made_from(batch: Manifest) -> tuple[str, Any, str, str]:
    pieces = batch.position.get("pieces") or [{}]
    return rows_of(str(pieces[0].get("state"))), batch.position.get("mapping"), batch.contract, batch.settings


def rows_of(state: str) -> str:
    """The part of a state that is of the rows, whichever table of the database holds them."""
    return state.partition("@")[0]


def _compare(request: Request, draft: Draft, state: str, engine: duckdb.DuckDBPyConnection) -> None:
    """Raises SourceError where the rows that arrived are not those that left, by their digests."""
    names = [column.name for column in request.contract.columns if column.name != ROW_DIGEST]
    texts = ", ".join(f"coalesce(cast({identifier(name)} as varchar), '\\N')" for name in names)
    made = f"cast('0x' || substr(md5(concat_ws(chr(31), {texts})), 1, 15) as bigint)"
    files = [quote(str(draft.files[part.name])) for part in draft.parts]
    found = engine.execute(
        f"select count(*), coalesce(sum({ROW_DIGEST}), 0), count(*) filter ({made} is distinct from {ROW_DIGEST}) "
        f"from read_parquet([{', '.join(files)}])"
    ).fetchone() if files else (0, 0, 0)  # fmt: skip
    arrived, total, changed = (int(value) for value in found or (0, 0, 0))
    read = arrived + draft.rows_quarantined + draft.rows_duplicate + draft.rows_filtered
    left, _, left_total = rows_of(state).partition(":")
    is_whole = draft.rows_loaded == read
    if changed or read != int(left) or (is_whole and total != int(left_total)):
        raise SourceError(
            f"{request.source.connection}: table {request.table}: of {left} rows that left {read} arrived, {changed} of them changed",
            remedy="run again; where it stays so, a type of the contract is too narrow for the staging model's",
        )

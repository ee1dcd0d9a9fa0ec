"""Transfer: a staged table of the operational store into the landing of the warehouse, exactly once.

The table carries a digest of every row, made in PostgreSQL. Their count and sum are the state of the source: nothing is
read where it is that of the newest landing, a killed transfer goes on with the pages it has not read, and what arrived
must have the digests that it left with.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import duckdb

from regulars import guards
from regulars.checkpoints import Checkpoints
from regulars.contracts import Contract
from regulars.engine import identifier, local_engine, quote
from regulars.errors import SourceError
from regulars.landing import Landed, describe, look_up, same_content
from regulars.manifest import Manifest, commit_batch, committed_folders, landed_days, read_manifest
from regulars.parts import Draft, count_filled, draft_parts
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
    contract: Contract, sources: Sources, settings: Settings, run: Run, *, refresh: bool = False, accept: bool = False
) -> Landed:
    """Land a table that has a column `row_digest`; see `land` for the day, `refresh` and `accept`.

    `created` is false where the newest landing is of the same state: then no row is read, and none is written. Raises
    SourceError where what arrived is not what left, besides what `land` raises.
    """
    storage = open_storage(settings.landing_root, settings.s3)
    before = look_up(storage, contract, sources, run, refresh=refresh, accept=accept)
    if before.settled is not None:
        return Landed(before.settled, created=False)
    request = make_request(contract, sources, settings, run.as_of)
    with open_spool(settings) as spool, local_engine(settings, spool) as engine:
        set_pseudonym_key(engine, settings.pseudonym_secret())
        with reader_for(request.connection.kind).open(request, engine, spool) as opened:
            pieces = list(opened)
            state = _state_of(request, pieces)
            unchanged = _landed_with(storage, contract, state) if not refresh else None
            if unchanged is not None:
                return Landed(unchanged, created=False)
            kept = Checkpoints(request, state)
            draft = draft_parts(request, pieces, engine, spool, kept)
        try:
            _compare(request, draft, state, spool, engine)
        except SourceError:
            kept.clear()
            raise
        known = same_content(storage, before, draft.content, accept=accept)
        if known is None:
            known = _commit(request, draft, run, before.next_revision, storage, engine, accept=accept)
        kept.clear()
        return known


def _commit(
    request: Request, draft: Draft, run: Run, revision: int, storage: Storage, engine: duckdb.DuckDBPyConnection, *, accept: bool
) -> Landed:  # fmt: skip
    filled = count_filled(draft, request.contract, engine)
    parts = [str(draft.files[part.name]) for part in draft.parts]
    gone = partial(guards.keys_gone, storage, request.settings.s3, request.contract, parts, engine)
    verdict = guards.judge(storage, request.contract, run.as_of, draft, filled, gone, accept=accept)
    manifest = describe(request, draft, run, revision, "full", verdict, filled)
    commit_batch(storage, manifest, draft.files)
    return Landed(manifest, created=True)


def _state_of(request: Request, pieces: list[Piece]) -> str:
    state = str(pieces[0].position.get("state") or "") if pieces else ""
    if not state:
        raise SourceError(
            f"{request.source.connection}: table {request.table} has no column {ROW_DIGEST}",
            remedy="let the staging model make it (macro row_digest), or leave `mover` out of sources.yml",
        )
    return state


def _landed_with(storage: Storage, contract: Contract, state: str) -> Manifest | None:
    """The newest landing of the table, if it was accepted and is of that state."""
    for day in reversed(landed_days(storage, contract.table)):
        found = [read_manifest(storage, folder) for folder in committed_folders(storage, contract.table, day)]
        if found:
            newest = max(found, key=lambda manifest: manifest.revision)
            same = [piece.get("state") for piece in newest.position["pieces"]]
            settled = newest.is_accepted and newest.contract == contract.fingerprint()
            return newest if settled and same and rows_of(str(same[0])) == rows_of(state) else None
    return None


def rows_of(state: str) -> str:
    """The part of a state that is of the rows, whichever table of the database holds them."""
    return state.partition("@")[0]


def _compare(request: Request, draft: Draft, state: str, spool: Path, engine: duckdb.DuckDBPyConnection) -> None:
    """Raises SourceError where the rows that arrived are not those that left, by their digests."""
    names = [column.name for column in request.contract.columns if column.name != ROW_DIGEST]
    texts = ", ".join(f"coalesce(cast({identifier(name)} as varchar), '\\N')" for name in names)
    made = f"cast('0x' || substr(md5(concat_ws(chr(31), {texts})), 1, 15) as bigint)"
    files = [quote(str(draft.files[part.name])) for part in draft.parts]
    found = engine.execute(
        f"select count(*), coalesce(sum({ROW_DIGEST}), 0), count(*) filter ({made} <> {ROW_DIGEST}) "
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

"""Quarantine: typing rejected rows again once the contract, sources.yml or a bound has been corrected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import duckdb

from regulars.batches import effective
from regulars.contracts import Contract
from regulars.engine import allow_s3, local_engine, quote
from regulars.errors import ConfigError
from regulars.landing import Landed, describe
from regulars.manifest import Manifest, Verdict, commit_batch, day_manifests
from regulars.parts import PARQUET, draft_repaired
from regulars.privacy import set_pseudonym_key
from regulars.quality.holds import FINDING
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources import reader_for
from regulars.sources.base import RESERVED, Piece, Request, make_request
from regulars.sources.config import Sources
from regulars.sources.json_files import column_keys, keys_as_columns
from regulars.sources.options import read_options
from regulars.spool import open_spool
from regulars.storage import Storage, open_storage

RAW, RECORD = f"{RESERVED}raw", f"{RESERVED}record"


def replay(
    contract: Contract, sources: Sources, settings: Settings, run: Run, as_of: date, *, held: bool = False
) -> Landed | None:
    """Type the rejected rows of a day's effective batches again, by the contract and sources.yml of now.

    Rows that pass land as a batch of scope `add` with their record numbers, and a file that lists them; the others stay
    in quarantine. None when nothing passes. Records that could not be taken apart (rules `encoding` and `malformed`)
    need a mended file and `refresh`. What is in `raw` afterwards is what a landing by the rules of now would have put
    there: a row that is loaded already is a duplicate, one outside the day's window is left out. `held`: bring back the rows
    that a finding of detection put there, which are stored as the contract's columns, and no others.
    """
    storage = open_storage(settings.landing_root, settings.s3)
    manifests = [found for found in day_manifests(storage, contract.table, as_of) if found.is_accepted]
    count = effective(found.batch for found in manifests)
    rejected = [found for found in manifests if found.batch in count and found.rejects]
    if not rejected:
        return None
    reached = [date.fromisoformat(found.position["since"]) for found in rejected if "since" in found.position]
    request = make_request(contract, sources, settings, as_of, min(reached, default=None))
    if held:
        plain = request.source.model_copy(update={"columns": {}, "where": None, "via": None})
        request = replace(request, source=plain, read=read_options(request.entry, {}))
    _refuse_expressions(request)
    with open_spool(settings) as spool, local_engine(settings, spool) as engine:
        set_pseudonym_key(engine, contract, settings)
        if storage.root.startswith("s3://"):
            allow_s3(engine, settings.s3)
        _open_rejects(storage, manifests, rejected, engine, held)
        pieces = list(_pieces(request, engine))
        loaded = [
            (storage.url(f"{found.folder}/{part.name}"), frozenset(name for name, _ in found.columns))
            for found in manifests
            if found.batch in count
            for part in found.parts
        ]
        draft, repaired = draft_repaired(request, [piece for _, piece in pieces], loaded, engine, spool)
        if not repaired:
            return None
        lists = [
            f"select {quote(pieces[number][0])} as batch_id, {quote(pieces[number][1].source)} as source, "
            "_record_number as record_number "
            f"from read_parquet({quote(str(path))}) where _rejected is null"
            for number, path in repaired.items()
        ]
        target = spool / "replays.parquet"
        written = engine.execute(
            f"copy (from ({' union all '.join(lists)}) order by all) to {quote(str(target))} {PARQUET}"
        ).fetchone()
        draft.add(draft.replays, target, "quarantine", int(written[0]) if written else 0)
        revision = max(found.revision for found in day_manifests(storage, contract.table, as_of)) + 1
        manifest = describe(request, draft, run, revision, "add", Verdict())
        commit_batch(storage, manifest, draft.files)
        return Landed(manifest, created=True)


def _refuse_expressions(request: Request) -> None:
    """A worker replays; what Snowflake's SQL makes of a column is not for it to say."""
    given = request.source.columns
    plain = all(re.fullmatch(r"[\w ]+", text) for text in given.values())
    if request.source.via is not None and (request.source.where or not plain):
        raise ConfigError(
            f"sources.yml: tables.{request.table}: rejected rows of files on a stage cannot be replayed through expressions",
            remedy="land the day again with refresh, once files, contract or sources.yml are mended",
        )


def _open_rejects(
    storage: Storage, manifests: list[Manifest], rejected: list[Manifest], engine: duckdb.DuckDBPyConnection, held: bool
) -> None:
    """The table `open_rejects`: rejects of the effective batches that no replay has landed yet, held ones or the others."""
    files = " union all by name ".join(
        f"select *, {quote(found.batch_id)} as batch_id from "
        f"read_parquet({quote(storage.url(f'{found.folder}/{part.name}'))})"
        for found in rejected
        for part in found.rejects
    )
    replayed = [quote(storage.url(f"{found.folder}/{part.name}")) for found in manifests for part in found.replays]
    left = (
        f"anti join read_parquet([{', '.join(replayed)}]) using (batch_id, source, record_number)" if replayed else ""
    )
    wanted = f"{'' if held else 'not '}starts_with(rule, '{FINDING}')"
    engine.execute(f"create temp table open_rejects as select * from ({files}) {left} where {wanted}")


def _pieces(request: Request, engine: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Piece]]:
    """(batch_id, piece) for each batch and source: its raw records, taken apart again."""
    usable = "from open_rejects where rule not in ('encoding') and json_valid(raw) and json_type(raw) = 'OBJECT'"
    is_dated = reader_for(request.connection.kind).is_dated(request)
    # A row that lacked a column passes once the contract no longer asks for it, not because its raw form lacks it too.
    lacking = "(rule = 'missing_column')"
    groups = engine.execute(f"select distinct batch_id, source, {lacking} {usable} order by all").fetchall()
    for batch_id, source, is_lacking in groups:
        mine = f"{usable} and batch_id = {quote(batch_id)} and source = {quote(source)} and {lacking} = {is_lacking}"
        keys = engine.execute(f"select distinct unnest(json_keys(raw)) as name {mine} order by name").fetchall()
        wanted = [*request.source.columns.values(), *request.contract.by_name]
        names = column_keys([str(row[0]) for row in keys], wanted)
        if not names:
            continue
        relation = (
            f"select {keys_as_columns('raw', names)}, raw as {RAW}, record_number as {RECORD} {mine} order by {RECORD}"
        )
        columns = tuple((name, "VARCHAR") for name in names)
        position = {"replayed": batch_id, "source": source}
        yield (
            batch_id,
            Piece(
                source,
                relation,
                columns,
                record=RECORD,
                raw=RAW,
                absent_is_null=not is_lacking,
                is_windowed=is_dated,
                position=position,
            ),
        )

"""Write published relations as files: typed, whole or not at all, and said in a manifest that is written last."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import duckdb
from pydantic import BaseModel, ConfigDict

from regulars.engine import identifier, local_engine, quote
from regulars.engine_errors import plain_errors
from regulars.errors import ConfigError
from regulars.exports.hyper import require_hyper, write_hyper
from regulars.exports.relations import Relation, choose_relations
from regulars.segments.unload import DuckDBDialect, open_dialect
from regulars.settings import Settings
from regulars.spool import open_spool
from regulars.storage import open_storage
from regulars.warehouse.published import PublishedReader, read_published

Format = Literal["parquet", "csv", "hyper"]
FORMATS: tuple[str, ...] = get_args(Format)
MANIFEST = "manifest.json"
TEXT = DuckDBDialect()  # CSV is written by the local engine, whichever one is published


class ExportedFile(BaseModel):
    """One file; `cells_neutralised` counts text cells of a CSV that got an apostrophe against formulas."""

    model_config = ConfigDict(frozen=True)

    relation: str
    name: str
    rows: int
    bytes: int
    sha256: str
    columns: tuple[tuple[str, str], ...]
    cells_neutralised: int = 0


class Export(BaseModel):
    """What one export wrote into `folder`; the manifest there says the same."""

    model_config = ConfigDict(frozen=True)

    folder: str
    format: Format
    files: tuple[ExportedFile, ...]


def export(settings: Settings, relations: Sequence[str], to: str, format: Format = "parquet") -> Export:
    """Write relations of the published copy into `to`, a folder or `s3://` URL, as `<schema>.<name>.<format>` each.

    `relations`: names, with or without schema, or `all` (every published table of marts and segments; views by name
    only). All are made beside the folder first and then moved in, each whole; an earlier export of the same name is
    replaced. Raises ConfigError for a relation or format that there is not, EngineError where a file cannot be made.
    """
    if format not in FORMATS:
        raise ConfigError(f"{format} is no format of exports", remedy=f"one of: {', '.join(FORMATS)}")
    if format == "hyper":
        require_hyper()
    storage = open_storage(to, settings.s3)
    with plain_errors("exporting"), open_spool(settings) as spool:
        with read_published(settings) as reader, local_engine(settings, spool) as session:
            chosen = choose_relations(reader, relations, open_dialect(settings))
            files = tuple(_write(reader, session, relation, spool, format) for relation in chosen)
        done = Export(folder=storage.root, format=format, files=files)
        for file in files:
            storage.put_file(spool / file.name, file.name)
        storage.write_bytes(MANIFEST, (done.model_dump_json(indent=1) + "\n").encode())
    return done


def _write(
    reader: PublishedReader, session: duckdb.DuckDBPyConnection, relation: Relation, spool: Path, format: Format
) -> ExportedFile:
    parquet = spool / f"{relation.label}.parquet"
    rows = _write_parquet(reader, session, relation, parquet)
    path, cells = parquet.with_suffix(f".{format}"), 0
    if format == "csv":
        cells = _write_csv(session, relation, parquet, path)
    elif format == "hyper":
        write_hyper(parquet, path)
    if path != parquet:
        parquet.unlink()
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return ExportedFile(
        relation=relation.label, name=path.name, rows=rows, bytes=path.stat().st_size, sha256=digest,
        columns=relation.columns, cells_neutralised=cells,
    )  # fmt: skip


def _write_parquet(reader: PublishedReader, session: duckdb.DuckDBPyConnection, relation: Relation, path: Path) -> int:
    listed = ", ".join(f"cast({identifier(name)} as {kind}) as {identifier(name)}" for name, kind in relation.columns)
    with reader.batches(relation.schema, relation.name, relation.columns) as batches:
        session.register("exported", batches)
        try:
            return _copy(session, f"select {listed} from exported", path, "format parquet, compression zstd")
        finally:
            session.unregister("exported")


def _write_csv(session: duckdb.DuckDBPyConnection, relation: Relation, parquet: Path, path: Path) -> int:
    """As deliveries write it, with one apostrophe before text that a spreadsheet would run; gives how many there are."""
    source = f"read_parquet({quote(str(parquet))})"
    texts = [identifier(name) for name, kind in relation.columns if kind == "varchar"]
    guarded = {
        text: f"case when {TEXT.is_formula(text)} then '''' || {text} else {text} end as {text}" for text in texts
    }
    names = [identifier(name) for name, _ in relation.columns]
    _copy(
        session,
        f"select {', '.join(guarded.get(name, name) for name in names)} from {source}",
        path,
        "format csv, header true",
    )
    cells = " + ".join(f"count(case when {TEXT.is_formula(text)} then 1 end)" for text in texts) or "0"
    ((count,),) = session.execute(f"select {cells} from {source}").fetchall()
    return int(count)


def _copy(session: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> int:
    ((rows,),) = session.execute(f"copy ({query}) to {quote(str(path))} ({options})").fetchall()
    return int(rows)

"""Kind `files`: CSV, JSON, NDJSON, Parquet and spreadsheets in a folder or on S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from regulars.engine import identifier
from regulars.engine_errors import without_values
from regulars.errors import ConfigError, ContractError, RegularsError, SourceError
from regulars.sources.base import Piece, Request, describe
from regulars.sources.csv_files import after_blank_lines, column_names, header_record, read_csv_sql, repeated_names
from regulars.sources.intake import take_in
from regulars.sources.json_files import document_piece, ndjson_piece
from regulars.sources.parquet_files import parquet_piece
from regulars.sources.places import SourceFile, find_files
from regulars.sources.salvage import salvage_csv
from regulars.sources.workbooks import sheet_piece


class FilesReader:
    """Reads the files of a path, one piece each, or the rows of a `query:` over several of them."""

    @contextmanager
    def open(self, request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> Iterator[Iterator[Piece]]:
        if request.source.query:
            yield iter([_query_piece(request, engine, spool)])
        else:
            yield (_file_piece(request, file, engine, spool) for file in _files(request))

    def plan(self, request: Request) -> list[dict[str, Any]]:
        paths = request.source.files.values() if request.source.query else [_path(request)]
        files = [file for path in paths for file in find_files(request, path)]
        window = None if _is_dated(request) else request.window
        query = request.fill_query(request.source.query) if request.source.query else None
        return [
            {
                "table": request.table,
                "from": request.source.connection,
                "file": file.path,
                "bytes": file.bytes,
                "query": query,
                "where": request.source.where,
                "window": [moment.isoformat() for moment in window] if window else None,
            }
            for file in files
        ]

    def is_live(self, request: Request) -> bool:
        """A path without `{as_of}` holds what lies there now; days of events are cut out of it by their window."""
        return request.contract.mode == "snapshot" and not _is_dated(request)

    def is_dated(self, request: Request) -> bool:
        return _is_dated(request)


def _path(request: Request) -> str:
    if request.source.path is None:
        raise ConfigError(
            f"sources.yml: tables.{request.table}: kind files needs path, or query with files",
            remedy='add path: "orders/{as_of}.csv"',
        )
    return request.source.path


def _is_dated(request: Request) -> bool:
    texts = [
        request.connection.path or "",
        request.source.path or "",
        request.source.query or "",
        *request.source.files.values(),
    ]
    return any("{as_of}" in text or "{window_start}" in text for text in texts)


def _files(request: Request) -> list[SourceFile]:
    return find_files(request, _path(request))


def _file_piece(request: Request, file: SourceFile, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    kind = request.read.format_of(file.name)
    path = take_in(request, file, kind, spool)
    try:
        piece = KINDS[kind](request, file.name, path, engine, spool)
    except (duckdb.Error, OSError, UnicodeError, MemoryError) as error:
        raise unreadable(file.name, error, path) from None
    facts = {
        "is_windowed": _is_dated(request),
        "position": {"file": file.path, "bytes": file.bytes},
        "explain": lambda error: unreadable(file.name, error, path),
    }
    return _with_facts(piece, facts)


def _with_facts(piece: Piece, facts: dict[str, Any]) -> Piece:
    """The piece, and whatever a more patient reading makes of it, with what is known of its file."""
    again = piece.salvage
    if again is None:
        return replace(piece, **facts)
    return replace(piece, **facts, salvage=lambda cause: _with_facts(again(cause), facts))


def _csv(request: Request, name: str, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    read = after_blank_lines(path, request.read)
    columns = column_names(path, read, name)
    piece = Piece(
        name,
        read_csv_sql(path, read, name, columns),
        tuple((column, "VARCHAR") for column in columns),
        nulls_are_read=True,
        repeated=repeated_names(header_record(path, read, name)) if read.header and not read.names else frozenset(),
    )
    return replace(piece, salvage=lambda cause: salvage_csv(engine, piece, path, read, columns, spool, cause))


KINDS = {
    "csv": _csv,
    "ndjson": ndjson_piece,
    "json": document_piece,
    "parquet": parquet_piece,
    "xlsx": sheet_piece,
}


def _query_piece(request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    """The query of `query:` over views of `files:`, or of constants. Damaged files are refused here, not salvaged.

    Rows come in the order of their values: the engine's own differs from time to time, and equal content must be one landing.
    """
    files = []
    for name, path in request.source.files.items():
        relations = []
        for file in find_files(request, path):
            piece = _file_piece(request, file, engine, spool)
            listed = ", ".join(identifier(column) for column, _ in piece.columns)
            relations.append(f"select {listed} from ({piece.relation})")
            files.append({"file": file.path, "bytes": file.bytes})
        engine.execute(f"create or replace temp view {identifier(name)} as {' union all by name '.join(relations)}")
    query = request.fill_query(request.source.query or "")
    try:
        columns = describe(engine, query)
    except duckdb.Error as error:
        raise SourceError(
            f"sources.yml: tables.{request.table}.query: {without_values(str(error))}",
            remedy="correct the query; it runs in DuckDB",
        ) from None
    names = ", ".join(request.source.files.values()) or "constants"
    return Piece(
        f"query over {names}",
        f"select * from (\n{query}\n) order by all",
        columns,
        is_windowed=_is_dated(request),
        position={"files": files},
        explain=lambda error: unreadable(f"query over {names}", error),
    )


def unreadable(name: str, error: Exception, path: Path | None = None) -> RegularsError:
    """The error for a file that a library could not read; of what it said only what quotes no value.

    `path` is where the file lies in the spool; what is said of that is said of `name`.
    """
    words, said = str(error), without_values(str(error))
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError) or "Out of Memory" in words:
        return SourceError(
            f"{name}: landing needs more memory than it may have", remedy="raise REGULARS_LANDING_MEMORY_LIMIT"
        )
    if "No space left" in words:
        return SourceError(
            f"{name}: there is no space left to land it", remedy="free space on the disk of REGULARS_HOME, run again"
        )
    if "maximum_object_size" in words:
        said = "one JSON value is longer than read.max_line_bytes (and 16777216)"
    said = said.replace(str(path), name) if path else said
    return ContractError(
        f"{name} cannot be read: {said[:300]}",
        remedy="have it delivered again, or correct read: of the table in sources.yml",
    )

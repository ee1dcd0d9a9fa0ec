"""Kind `files`: CSV, JSON, NDJSON, Parquet and spreadsheets in a folder or on S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from regulars.engine import identifier, quote
from regulars.engine_errors import without_values
from regulars.errors import ConfigError, ContractError, SourceError
from regulars.sources.base import Piece, Request
from regulars.sources.csv_files import as_utf8, column_names, plain_copy, read_csv_sql
from regulars.sources.places import SourceFile, find_files, local_copy
from regulars.sources.salvage import salvage_csv
from regulars.sources.sheets import read_sheet

JSON_SAMPLE = 10_000  # records in which the keys of a JSON file are looked for
ONE_FIELD = "auto_detect = false, header = false, delim = e'\\x01', quote = '', escape = '', nullstr = ''"


class FilesReader:
    """Reads the files of a path, one piece each, or the rows of a `query:` over several of them."""

    @contextmanager
    def open(self, request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> Iterator[Iterator[Piece]]:
        try:
            if request.source.query:
                yield iter([_query_piece(request, engine, spool)])
            else:
                yield (_file_piece(request, file, engine, spool) for file in _files(request))
        except duckdb.OutOfMemoryException:
            raise SourceError(
                f"table {request.table}: landing needs more memory than {request.settings.landing_memory_limit}",
                remedy="raise REGULARS_LANDING_MEMORY_LIMIT",
            ) from None
        except duckdb.Error as error:
            raise unreadable(f"table {request.table}", error) from None

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
    path = local_copy(request, file, spool)
    kind = request.read.format_of(file.name)
    piece = {"csv": _csv, "ndjson": _ndjson, "json": _json, "parquet": _parquet, "xlsx": _sheet}[kind](
        request, file, path, engine, spool
    )
    return replace(piece, is_windowed=_is_dated(request), position={"file": file.path, "bytes": file.bytes})


def _csv(request: Request, file: SourceFile, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    read = request.read
    path = as_utf8(path, read, file.name, spool)
    columns = column_names(path, read, file.name)
    piece = Piece(
        file.name,
        read_csv_sql(path, read, file.name, columns),
        tuple((column, "VARCHAR") for column in columns),
        is_windowed=_is_dated(request),
        position={"file": file.path, "bytes": file.bytes},
        nulls_are_read=True,
    )
    return replace(piece, salvage=lambda cause: salvage_csv(engine, piece, path, read, columns, spool, cause))


def _ndjson(request: Request, file: SourceFile, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    """Lines as text, so that a line that is not JSON is one bad record and not the end of the file."""
    path = as_utf8(path, request.read, file.name, spool)
    limit = request.read.max_line_bytes
    lines = (
        f"select line from read_csv({quote(str(path))}, {ONE_FIELD}, skip = {request.read.skip}, columns = "
        f"{{'line': 'VARCHAR'}}, "
        f"max_line_size = {limit}, buffer_size = {max(32_000_000, 2 * limit)})"
    )
    objects = f"select line, case when {_is_object('line')} then line end as object from ({lines})"
    return _objects_piece(request, file, engine, objects, raw="line")


def _json(request: Request, file: SourceFile, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    """A JSON document: an array of objects, or objects one after the other."""
    path = as_utf8(path, request.read, file.name, spool)
    with open(plain_copy(path, spool), "rb") as stream:
        start = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    layout = "array" if start == b"[" else "unstructured"
    read = (
        f"read_json_objects({quote(str(path))}, format = '{layout}', maximum_object_size = "
        f"{max(16_777_216, request.read.max_line_bytes)})"
    )
    objects = (
        f"select cast(json as varchar) as line, case when {_is_object('json')} then json end as object from {read}"
    )
    return _objects_piece(request, file, engine, objects, raw="line")


def _is_object(value: str) -> str:
    return f"json_valid({value}) and json_type({value}) = 'OBJECT'"


def _objects_piece(
    request: Request, file: SourceFile, engine: duckdb.DuckDBPyConnection, objects: str, raw: str
) -> Piece:
    try:
        found = engine.execute(
            f"select distinct unnest(json_keys(object)) as name from (select object from ({objects}) limit "
            f"{JSON_SAMPLE}) "
            "where object is not null order by name"
        ).fetchall()
    except duckdb.Error as error:
        raise unreadable(file.name, error) from None
    wanted = [*request.source.columns.values(), *request.contract.by_name]
    names = one_spelling([str(row[0]) for row in found], wanted) or wanted
    shape = "{" + ", ".join(f'{_json_text(name)}: "VARCHAR"' for name in names) + "}"
    listed = ", ".join(f"record.{identifier(name)} as {identifier(name)}" for name in names)
    relation = (
        f"select {listed}, line as json_line, object is null as json_broken "
        f"from (select line, object, json_transform(object, {quote(shape)}) as record from ({objects}))"
    )
    return Piece(
        file.name,
        relation,
        tuple((name, "VARCHAR") for name in names),
        raw="json_line",
        absent_is_null=True,
        broken="json_broken",
    )


def one_spelling(keys: list[str], wanted: list[str]) -> list[str]:
    """JSON keys as column names: none empty, and of keys that differ in case alone the wanted one, else the first."""
    chosen: dict[str, str] = {}
    for key in sorted(keys, key=lambda key: (key not in wanted, key)):
        if key and "\0" not in key:
            chosen.setdefault(key.lower(), key)
    return sorted(chosen.values())


def _json_text(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _parquet(request: Request, file: SourceFile, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    read = f"read_parquet({quote(str(path))}, hive_partitioning = false)"
    try:
        columns = describe(engine, f"select * from {read}")
    except duckdb.Error as error:
        raise unreadable(file.name, error) from None
    listed = ", ".join(identifier(name) for name, _ in columns)
    return Piece(
        file.name,
        f"select {listed}, file_row_number + 1 as parquet_record from read_parquet({quote(str(path))}, "
        "hive_partitioning = false, file_row_number = true)",
        columns,
        record="parquet_record",
    )


def _sheet(request: Request, file: SourceFile, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    table = read_sheet(path, request.read, file.name)
    view = f"sheet_{len(engine.execute('select view_name from duckdb_views() where not internal').fetchall())}"
    engine.register(view, table)
    columns = tuple((name, "VARCHAR") for name in table.column_names if name != "sheet_record")
    return Piece(file.name, f"select * from {view}", columns, record="sheet_record")


def _query_piece(request: Request, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    """The query of `query:` over views of `files:`, or of constants. Damaged files are refused here, not salvaged."""
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
            f"sources.yml: tables.{request.table}.query: {first_line(error)}",
            remedy="correct the query; it runs in DuckDB",
        ) from None
    names = ", ".join(request.source.files.values()) or "constants"
    return Piece(f"query over {names}", query, columns, is_windowed=_is_dated(request), position={"files": files})


def describe(engine: duckdb.DuckDBPyConnection, query: str) -> tuple[tuple[str, str], ...]:
    """(name, type) of the columns of a SELECT."""
    return tuple((str(row[0]), str(row[1])) for row in engine.execute(f"describe {query}").fetchall())


def first_line(error: duckdb.Error) -> str:
    """What the engine says is wrong, without the values that it quotes."""
    return without_values(str(error))


def unreadable(name: str, error: duckdb.Error) -> ContractError:
    return ContractError(
        f"{name} cannot be read: {first_line(error)[:200]}",
        remedy="have it delivered again, or correct read: {format: ...}",
    )

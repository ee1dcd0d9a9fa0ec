"""JSON documents and lines of JSON: every record as text, its keys as columns."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from regulars.engine import identifier, quote
from regulars.errors import ContractError
from regulars.sources.base import RESERVED, Piece, Request
from regulars.sources.csv_files import check_width, read_csv_sql
from regulars.sources.options import ReadOptions
from regulars.sources.salvage import RECORD, is_damage, salvage_csv

LINE, BROKEN = f"{RESERVED}line", f"{RESERVED}broken"
DOCUMENT_BYTES = 16_777_216  # the engine's own limit of one object
SPACE = b" \t\r\n"


def ndjson_piece(request: Request, name: str, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    """Lines as text, so that a line that is not JSON is one bad record and not the end of the file."""
    read = _one_field(request.read)
    sql = read_csv_sql(path, read, name, [LINE])

    def patient(cause: str) -> Piece:
        lines = Piece(name, sql, ((LINE, "VARCHAR"),))
        salvaged = salvage_csv(engine, lines, path, read, [LINE], spool, cause)
        found = _objects_piece(request, name, engine, _lines(salvaged.relation, f", {salvaged.record} as {RECORD}"))
        return replace(found, record=RECORD, rejects=salvaged.rejects, notes=(*found.notes, *salvaged.notes))

    try:
        return replace(_objects_piece(request, name, engine, _lines(sql)), salvage=patient)
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        return patient(str(error))


def document_piece(request: Request, name: str, path: Path, engine: duckdb.DuckDBPyConnection, spool: Path) -> Piece:
    """A JSON document: an array of objects, or objects one after the other."""
    with open(path, "rb") as stream:
        start = stream.read(1 << 20).removeprefix(b"\xef\xbb\xbf").lstrip(SPACE)[:1]
    if not start:
        raise ContractError(
            f"{name} is empty: not even a JSON value", remedy="have it delivered again; a day without rows is []"
        )
    layout = "array" if start == b"[" else "unstructured"
    limit = max(DOCUMENT_BYTES, request.read.max_line_bytes)
    read = f"read_json_objects({quote(str(path))}, format = '{layout}', maximum_object_size = {limit})"
    objects = f"select cast(json as varchar) as {LINE}, json as {OBJECT} from {read}"
    return _objects_piece(request, name, engine, _only_objects(objects))


OBJECT = f"{RESERVED}object"


def _one_field(read: ReadOptions) -> ReadOptions:
    """Options of CSV under which a line is one field: JSON text has no control characters, so \\x01 never splits one."""
    return read.model_copy(
        update={"delimiter": "\x01", "quote": "", "escape": "", "header": False, "names": (), "null_values": ()}
    )


def _lines(sql: str, extra: str = "") -> str:
    return _only_objects(f"select {LINE}{extra}, {LINE} as {OBJECT} from ({sql})")


def _only_objects(lines: str) -> str:
    """The lines, with `object` null where a line is something else."""
    is_object = f"json_valid({OBJECT}) and json_type({OBJECT}) = 'OBJECT'"
    return f"select * replace (case when {is_object} then {OBJECT} end as {OBJECT}) from ({lines})"


@dataclass(frozen=True)
class _Keys:
    """Keys by the column they make; `odd`: some record has a key twice, or one that no column can be called."""

    spellings: dict[str, list[str]]
    odd: bool


def _objects_piece(request: Request, name: str, engine: duckdb.DuckDBPyConnection, objects: str) -> Piece:
    # Few shapes are shared by many records, so all keys of all records are known at the price of one look at each.
    shapes = engine.execute(f"select distinct json_keys({OBJECT}) as keys from ({objects}) where {OBJECT} is not null")
    found: set[str] = set()
    odd = False
    while batch := shapes.fetchmany(1000):
        for (keys,) in batch:
            found.update(keys)
            odd = odd or _is_odd(keys)
        check_width(name, len(found), request.read, "different keys")
    wanted = [*request.source.columns.values(), *request.contract.by_name]
    keys = column_keys(found, wanted) or {column: [column] for column in wanted if "\0" not in column}
    broken = f"case when {OBJECT} is null then 'not a JSON object' {_ODD if odd else ''} end"
    relation = f"select * exclude ({OBJECT}), {keys_as_columns(OBJECT, keys)}, {broken} as {BROKEN} from ({objects})"
    return Piece(
        name,
        relation,
        tuple((column, "VARCHAR") for column in keys),
        raw=LINE,
        absent_is_null=True,
        broken=BROKEN,
    )


_KEYS = f"json_keys({OBJECT})"
_ODD = (
    f"when len({_KEYS}) > len(list_distinct(list_transform({_KEYS}, lambda k: lower(k)))) "
    "then 'a key stands there twice (case does not matter)' "
    f"when len(list_filter({_KEYS}, lambda k: contains(k, chr(0)))) > 0 then 'a key holds a NUL character'"
)


def _is_odd(keys: list[str]) -> bool:
    return len({key.lower() for key in keys}) < len(keys) or any("\0" in key for key in keys)


def column_keys(keys: Iterable[str], wanted: list[str]) -> dict[str, list[str]]:
    """Column names and the keys that each stands for: spellings that differ in case alone are one column.

    A column is called as it is wanted, else by its first spelling; the empty key is called `(empty)`.
    """
    columns: dict[str, list[str]] = {}
    for key in sorted(keys, key=lambda key: (key not in wanted, key)):
        if "\0" not in key:
            columns.setdefault(key.lower(), []).append(key)
    return {spellings[0] or EMPTY: spellings for _, spellings in sorted(columns.items())}


EMPTY = "(empty)"


def keys_as_columns(value: str, columns: dict[str, list[str]]) -> str:
    """SELECT items: the keys of a JSON object as columns of text; nested values as JSON text."""
    plain = [name for name, spellings in columns.items() if spellings == [name]]
    shape = "{" + ", ".join(f'{json.dumps(name, ensure_ascii=False)}: "VARCHAR"' for name in plain) + "}"
    items = [f"unnest(json_transform({value}, {quote(shape)}))"] if plain else []
    for name, spellings in columns.items():
        if spellings != [name]:
            taken = ", ".join(f"json_extract_string({value}, {quote(_pointer(key))})" for key in spellings)
            items.append(f"coalesce({taken}) as {identifier(name)}")
    return ", ".join(items)


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")

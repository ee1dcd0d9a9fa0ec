"""From a contract's columns to SQL over a source's columns, and what happens when the two do not fit."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

import duckdb

from regulars.contracts import Column
from regulars.engine import identifier
from regulars.errors import ConfigError, ContractError
from regulars.sources.base import Piece, Request
from regulars.sources.expressions import column_references, match_column, renamed

PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ ./-]{0,40}")
NUMBER = "decimal(18,6)"  # what a text column is to an expression that only makes sense for numbers


@dataclass(frozen=True)
class Mapped:
    """SQL over the source's columns and its type; `numbers` are text columns that it reads as `number_name(column)`."""

    sql: str
    type: str
    numbers: tuple[str, ...] = ()


def number_name(column: str) -> str:
    return f"_number_{column}"


def map_columns(
    request: Request, piece: Piece, engine: duckdb.DuckDBPyConnection
) -> tuple[dict[str, Mapped], tuple[str, ...]]:
    """SQL of every contract column, and notes on what did not fit but was let through.

    Raises ContractError where a column is missing or unknown and the contract's `on_drift` does not allow that.
    """
    contract, types = request.contract, dict(piece.columns)
    names = list(types)
    mapping: dict[str, Mapped] = {}
    notes: list[str] = []
    missing: list[Column] = []
    for column in contract.columns:
        text = request.source.columns.get(column.name)
        found = match_column(text or column.name, names)
        if found is not None:
            mapping[column.name] = Mapped(identifier(found), types[found])
        elif text is not None and text.strip().lower() == "null":
            mapping[column.name] = _null(column)
        elif text is not None:
            mapping[column.name] = bind(request, engine, piece, text, f"tables.{request.table}.columns.{column.name}")
        else:
            missing.append(column)
    used = {match_column(request.source.columns.get(name, name), names) for name in contract.by_name}
    extra = [] if request.source.columns else [name for name in names if name not in used]
    for column in missing:
        must = column.required or column.name in contract.key
        if not piece.absent_is_null and (must or contract.on_drift == "freeze"):
            raise drift(request, piece, [column.name], extra)
        if not piece.absent_is_null:
            notes.append(f"{column.name} is missing in {piece.source}: null")
        mapping[column.name] = _null(column)
    if extra and contract.on_drift == "freeze":
        raise drift(request, piece, [], extra)
    if extra:
        notes.append(f"not in the contract and left out: {', '.join(extra)}")
    return mapping, tuple(notes)


def bind(request: Request, engine: duckdb.DuckDBPyConnection, piece: Piece, expression: str, place: str) -> Mapped:
    """An expression of sources.yml over the source's columns, with its type.

    Where it makes no sense for text columns it is tried with them as numbers. Raises ConfigError or ContractError.
    """
    types = dict(piece.columns)
    used = column_references(expression, list(types))
    try:
        return Mapped(f"({expression})", _type_of(engine, expression, types))
    except duckdb.Error as error:
        problem = error
    texts = {name: number_name(name) for name in used if types[name] == "VARCHAR"}
    if texts and "not found in FROM" not in str(problem):
        rewritten = renamed(expression, texts)
        try:
            kind = _type_of(engine, rewritten, {**types, **dict.fromkeys(texts.values(), NUMBER)})
            return Mapped(f"({rewritten})", kind, tuple(texts))
        except duckdb.Error:
            pass
    reason = str(problem).split("\n", 1)[0]
    if "not found in FROM" in reason:
        visible = visible_names(request, list(types))
        near = difflib.get_close_matches(expression, visible, n=1, cutoff=0.5)
        raise ContractError(
            f"{piece.source} has not the columns that {place} reads: {reason.removeprefix('Binder Error: ')}; "
            f"found: {_listed(list(types), visible)}" + (f"; nearest: {near[0]}" if near else ""),
            remedy=f"correct {place} in sources.yml, or have the source mended",
        )
    raise ConfigError(
        f"sources.yml: {place}: {reason}", remedy="it must be a source column or a DuckDB expression over them"
    )


def drift(request: Request, piece: Piece, missing: list[str], extra: list[str]) -> ContractError:
    """The error for a source whose columns are not the contract's, with the nearest name for each missing one."""
    contract = request.contract
    found = [name for name, _ in piece.columns]
    visible = visible_names(request, found)
    parts = []
    for name in missing:
        near = difflib.get_close_matches(name, visible, n=1, cutoff=0.5)
        parts.append(f"missing: {name}" + (f" (nearest: {near[0]})" if near else ""))
    if extra:
        parts.append(f"not in the contract: {_listed(extra, visible)}")
    hint = "" if len(found) != 1 else "; if this is one column, check delimiter under read:"
    return ContractError(
        f"{piece.source} has not the columns of contract {contract.source}.{contract.table}: {'; '.join(parts)}. "
        f"Expected: {', '.join(contract.by_name)}. Found: {_listed(found, visible)}{hint}",
        remedy=f"map the columns under tables.{contract.table}.columns in sources.yml, change the contract, or set "
        "on_drift: evolve in it",
    )


def visible_names(request: Request, found: list[str]) -> list[str]:
    """Names of a source's columns that a message may show: a file without a header has someone's data in their place.

    For a contract with personal data that is none unless at least half of the columns asked for are there, and then
    those that look like names.
    """
    contract = request.contract
    if not contract.personal_columns:
        return found
    asked = [request.source.columns.get(name, name) for name in contract.by_name]
    plain = [text for text in asked if PLAIN_NAME.fullmatch(text) and text.lower() != "null"]
    known = sum(match_column(text, found) is not None for text in plain)
    return [name for name in found if PLAIN_NAME.fullmatch(name)] if plain and 2 * known >= len(plain) else []


def _listed(names: list[str], visible: list[str]) -> str:
    shown = [name for name in names if name in visible]
    hidden = len(names) - len(shown)
    rest = f"{hidden} column{'s' if hidden > 1 else ''} not shown, because the name may be a value (is there a header?)"
    return ", ".join([*shown, *([rest] if hidden else [])])


def _type_of(engine: duckdb.DuckDBPyConnection, expression: str, types: dict[str, str]) -> str:
    nulls = ", ".join(f"cast(null as {kind}) as {identifier(name)}" for name, kind in types.items())
    row = engine.execute(f"describe select ({expression}) as value from (select {nulls}) as source").fetchone()
    return str(row[1]) if row else "VARCHAR"


def _null(column: Column) -> Mapped:
    return Mapped("cast(null as varchar)", "VARCHAR")

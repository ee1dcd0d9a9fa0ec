"""From a contract's columns to SQL over a source's columns, and what happens when the two do not fit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import duckdb

from regulars.contracts import Column
from regulars.engine import identifier
from regulars.errors import ConfigError, ContractError
from regulars.sources.base import RESERVED, Piece, Request
from regulars.sources.expressions import column_references, match_column, renamed

SHOWN_NAMES, SHOWN_LETTERS = 20, 100  # of columns in a sentence
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ ./-]{0,40}")
WRITTEN_NAME = re.compile(r"[\w%#][\w %#?&.:-]{0,60}")  # in sources.yml: what is more likely a name than an expression
NUMBER = "decimal(18,6)"  # what a text column is to an expression that only makes sense for numbers


@dataclass(frozen=True)
class Mapped:
    """SQL over the source's columns and its type; `numbers` are text columns that it reads as `number_name(column)`."""

    sql: str
    type: str
    numbers: tuple[str, ...] = ()


def number_name(column: str) -> str:
    return f"{RESERVED}number_{column}"


@dataclass(frozen=True)
class Fit:
    """How a source meets a contract: SQL of every contract column; `absent` contract columns that the source lacks;
    `surplus` source columns that nothing asks for, where the contract wants their rows quarantined; notes."""

    columns: dict[str, Mapped]
    absent: tuple[str, ...] = ()
    surplus: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def map_columns(request: Request, piece: Piece, bind: Callable[[str, str], Mapped]) -> Fit:
    """Fit of one piece: docs/contracts.md has the table of what is let through under which `on_drift`.

    `bind` gives SQL of an expression, given its place in sources.yml.

    Raises ContractError where a column is missing, unknown or there twice and the contract does not allow that.
    """
    contract, types = request.contract, dict(piece.columns)
    names = list(types)
    _refuse_reserved(piece, names)
    mapping: dict[str, Mapped] = {}
    used: set[str | None] = set()
    missing: list[Column] = []
    lost: dict[str, str] = {}
    for column in contract.columns:
        text = request.source.columns.get(column.name)
        found = None if _is_null(text) else match_column(text or column.name, names)
        used.add(found)
        if found is not None:
            _refuse_repeated(request, piece, column.name, found)
            mapping[column.name] = Mapped(identifier(found), types[found])
        elif _is_null(text):
            mapping[column.name] = _null()
        elif text is not None:
            try:
                mapping[column.name] = bind(text, f"{request.entry}.columns.{column.name}")
            except (ConfigError, ContractError):
                if not WRITTEN_NAME.fullmatch(text):
                    raise
                lost[column.name] = text
        else:
            missing.append(column)
            mapping[column.name] = _null()
    if lost:
        raise _lost_columns(request, piece, lost)
    extra = [] if request.source.columns else [name for name in names if name not in used]
    absent = [] if piece.absent_is_null else [column.name for column in missing]
    must = [name for name in absent if contract.by_name[name].required or name in contract.key]
    if contract.on_drift == "freeze" and (absent or extra):
        raise drift(request, piece, absent, extra)
    if must:
        raise drift(request, piece, must, extra)
    notes = [f"{name} is missing in {piece.source}: null" for name in absent]
    notes += [f"not in the contract and left out: {listed(extra)}"] if extra else []
    surplus = tuple(extra) if contract.on_drift == "quarantine" else ()
    return Fit(mapping, tuple(absent), surplus, tuple(notes))


def listed(names: Iterable[str]) -> str:
    """Names in a sentence; of many the first ones and how many more there are."""
    found = [name if len(name) <= SHOWN_LETTERS else f"{name[:SHOWN_LETTERS]}..." for name in names]
    more = len(found) - SHOWN_NAMES
    return ", ".join(found[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _is_null(text: str | None) -> bool:
    return text is not None and text.strip().lower() == "null"


def _refuse_reserved(piece: Piece, names: list[str]) -> None:
    taken = [name for name in names if name.lower().startswith(RESERVED)]
    if taken:
        raise ContractError(
            f"{piece.source}: {listed(taken)}: names that begin with {RESERVED} are the library's own",
            remedy="have the column renamed in the source",
        )


def _refuse_repeated(request: Request, piece: Piece, column: str, found: str) -> None:
    if found.lower() in piece.repeated:
        copies = [name for name, _ in piece.columns if re.fullmatch(rf"{re.escape(found)}(_\d+)?", name, re.IGNORECASE)]
        raise ContractError(
            f"{piece.source} has {found} more than once, and {column} can be only one of them: {listed(copies)}",
            remedy=f"have the source mended, or choose one under {request.entry}.columns.{column} in sources.yml "
            f"(the first one is '\"{found}\"')",
        )


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
            f"found: {_visible(types, visible)}" + (f"; nearest: {near[0]}" if near else ""),
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
        parts.append(f"not in the contract: {_visible(extra, visible)}")
    hint = "" if len(found) != 1 else "; if this is one column, check delimiter under read:"
    return ContractError(
        f"{piece.source} has not the columns of contract {contract.source}.{contract.table}: {'; '.join(parts)}. "
        f"Expected: {', '.join(contract.by_name)}. Found: {_visible(found, visible)}{hint}",
        remedy=f"map the columns under {request.entry}.columns in sources.yml, change the contract, or set "
        "on_drift: evolve in it",
    )


def _lost_columns(request: Request, piece: Piece, lost: dict[str, str]) -> ContractError:
    """The error for columns that sources.yml names and the source has not, all of them at once."""
    found = [name for name, _ in piece.columns]
    visible = visible_names(request, found)
    near = {text: difflib.get_close_matches(text, visible, n=1, cutoff=0.5) for text in lost.values()}
    parts = [f"{name}: {text}" + (f" (nearest: {near[text][0]})" if near[text] else "") for name, text in lost.items()]
    return ContractError(
        f"{piece.source} has not the columns that {request.entry}.columns reads: {', '.join(parts)}; found: "
        f"{_visible(found, visible)}",
        remedy=f"correct {request.entry}.columns in sources.yml, or have the source mended",
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


def _visible(names: Iterable[str], visible: list[str]) -> str:
    """`listed`, without the names that may be values."""
    found = list(names)
    shown = [name for name in found if name in visible]
    hidden = len(found) - len(shown)
    rest = f"{hidden} column{'s' if hidden > 1 else ''} not shown, because the name may be a value (is there a header?)"
    return ", ".join([*([listed(shown)] if shown else []), *([rest] if hidden else [])])


def _type_of(engine: duckdb.DuckDBPyConnection, expression: str, types: dict[str, str]) -> str:
    nulls = ", ".join(f"cast(null as {kind}) as {identifier(name)}" for name, kind in types.items())
    row = engine.execute(f"describe select ({expression}) as value from (select {nulls}) as source").fetchone()
    return str(row[1]) if row else "VARCHAR"


def _null() -> Mapped:
    return Mapped("cast(null as varchar)", "VARCHAR")

"""Row rules: the SELECT that types each row of a source, or says which rule of the contract it breaks.

Built as a few nested SELECTs, one idea each, so that nothing is computed twice; the reason and the raw form are only
computed for rows that break a rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import duckdb

from regulars.contracts import Column, resolve_bound
from regulars.engine import identifier, quote
from regulars.errors import ConfigError
from regulars.mapping import NUMBER, Fit, Mapped, bind, listed, map_columns, number_name
from regulars.privacy import pseudonym
from regulars.sources.base import RESERVED, Piece, Request
from regulars.typing_rules import Typed, input_of, typed

SHOWN = 60  # characters of a value in a reason
MALFORMED = -1
POSITION = f"{RESERVED}position"


@dataclass(frozen=True)
class RowPlan:
    """`select` gives the landed columns, `_record_number` (null: the position of the row) and `_rejected` (JSON of
    rule, reason and raw form; null for a good row). `is_filtered`: rows of the piece may be left out; `total` counts
    them all. `absent`: contract columns that the source lacks."""

    select: str
    is_filtered: bool
    total: str
    notes: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class _Rule:
    name: str
    broken: str
    reason: str


def plan_rows(request: Request, piece: Piece, engine: duckdb.DuckDBPyConnection) -> RowPlan:
    """The SELECT that lands `piece`. Raises ContractError where its columns are not what the contract expects."""
    columns = request.contract.columns
    fit = map_columns(request, piece, engine)
    found = [fit.columns[column.name] for column in columns]
    where = (
        bind(request, engine, piece, request.source.where, f"tables.{request.table}.where")
        if request.source.where
        else None
    )
    window = None if piece.is_windowed else _window_condition(request)
    numbers = sorted({name for item in [*found, *([where] if where else [])] for name in item.numbers})

    source = _numbered(piece, numbers, is_filtered=where is not None or window is not None)
    inputs = _inputs(request, piece, fit, numbers, source, where)
    types = [
        typed(f"i{n}", f"t{n}", item.type, column.data_type, request.read)
        for n, (column, item) in enumerate(zip(columns, found, strict=True))
    ]
    values = ", ".join(f"{item.value} as t{n}" for n, item in enumerate(types))
    typed_rows = f"select *, {values} from ({inputs})"
    if window:
        typed_rows = f"select * from ({typed_rows}) where code is not null or {window}"
    rules = list(_drift_rules(request, piece, fit))
    rules += [rule for n, column in enumerate(columns) for rule in _rules(request, n, column, types[n])]
    checks = " ".join(f"when {rule.broken} then {code}" for code, rule in enumerate(rules, start=1))
    checked = f"select * exclude (code), case when code is not null then code {checks} end as code from ({typed_rows})"

    landed = [f"t{n} as {identifier(column.name)}" for n, column in enumerate(columns)]
    landed += [
        f"{pseudonym(column, f't{n}')} as {identifier(column.pseudonym)}"
        for n, column in enumerate(columns)
        if column.pseudonym
    ]
    rejected = _rejected(piece, rules, numbers)
    select = f"select {', '.join(landed)}, record as _record_number, {rejected} as _rejected from ({checked})"
    total = f"select count(*) from ({piece.relation})"
    return RowPlan(select, where is not None or window is not None, total, (*piece.notes, *fit.notes), fit.absent)


def _numbered(piece: Piece, numbers: list[str], *, is_filtered: bool) -> str:
    """The source's rows with their record number, and text columns that expressions read as numbers."""
    record = piece.record or ((piece.numbered or "row_number() over ()") if is_filtered else "null")
    extra = "".join(f", {_as_number(name)} as {identifier(number_name(name))}" for name in numbers)
    return f"select *, cast({record} as bigint) as {POSITION}{extra} from ({piece.relation})"


def _inputs(request: Request, piece: Piece, fit: Fit, numbers: list[str], source: str, where: Mapped | None) -> str:
    """record, code (of rows that cannot be mapped), s0 ... (raw columns) and i0 ... (each contract column's input)."""
    guards = [f"({identifier(number_name(name))} is null and trim({identifier(name)}) <> '')" for name in numbers]
    cases = [f"when {piece.broken} is not null then {MALFORMED}"] if piece.broken else []
    cases += [f"when {guard} then {MALFORMED - n}" for n, guard in enumerate(guards, start=1)]
    code = f"case {' '.join(cases)} end" if cases else "cast(null as integer)"
    raw = [piece.raw] if piece.raw else [identifier(name) for name, _ in piece.columns]
    found = [fit.columns[column.name] for column in request.contract.columns]
    strange = " ".join(f"when {identifier(name)} is not null then {quote(name)}" for name in fit.surplus)
    items = [f"{piece.broken or 'cast(null as varchar)'} as broken"]
    items += [f"{f'case {strange} end' if strange else 'cast(null as varchar)'} as strange"]
    items += [f"{item} as s{n}" for n, item in enumerate(raw)]
    items += [f"{item.sql} as x{n}" for n, item in enumerate(found)]
    condition = (
        f" where {' or '.join([where.sql, *guards, *([f'{piece.broken} is not null'] if piece.broken else [])])}"
        if where
        else ""
    )
    mapped = f"select {POSITION} as record, {code} as code, {', '.join(items)} from ({source}) as source{condition}"
    inputs = [
        f"{input_of(f'x{n}', item.type, column.data_type, request.read, nulls_are_read=piece.nulls_are_read)} as i{n}"
        for n, (column, item) in enumerate(zip(request.contract.columns, found, strict=True))
    ]
    kept = [f"s{n}" for n in range(len(raw))]
    return f"select record, code, broken, strange, {', '.join(kept + inputs)} from ({mapped})"


def _drift_rules(request: Request, piece: Piece, fit: Fit) -> Iterator[_Rule]:
    """Rows that say what the contract does not know, or cannot say what it asks for, where it wants them kept apart."""
    if fit.surplus:
        yield _Rule("unknown_column", "strange is not null", "strange || ' is not in the contract'")
    if fit.absent and request.contract.on_drift == "quarantine":
        yield _Rule("missing_column", "true", quote(f"{listed(fit.absent)} is missing in {piece.source}"))


def _rules(request: Request, n: int, column: Column, found: Typed) -> Iterator[_Rule]:
    """The rules of one column, in the order in which a row is judged."""
    is_text = column.data_type == "varchar"
    if column.required or column.name in request.contract.key:
        # A case, not an "and": the engine may look at the parts of a conjunction in any order, and trimming is dear.
        empty = f"i{n} is null"
        if is_text:
            empty = f"case when i{n} < '!' then trim(i{n}, e' \\t\\r\\n') = '' else i{n} is null end"
        yield _Rule("required", empty, quote(f"{column.name} is required and empty"))
    shown = f"' ' || left(cast(i{n} as varchar), {SHOWN})" if not column.pii else "''"
    if found.ok != "true":
        yield _Rule(
            "type",
            f"i{n} is not null and not {found.ok}",
            f"{quote(column.name + ':')} || {shown} || {quote(f' is not {column.data_type}')}",
        )
    if column.enum:
        listed = ", ".join(column.enum)
        values = ", ".join(map(quote, column.enum))
        yield _Rule(
            "enum",
            f"cast(t{n} as varchar) not in ({values})",
            f"{quote(column.name + ':')} || {shown} || {quote(f' is none of {listed}')}",
        )
    for name, sign, word in (("min", "<", "below"), ("max", ">", "above")):
        bound = getattr(column, name)
        if bound is not None:
            condition, limit = _bound(request, column, f"t{n}", sign, bound)
            yield _Rule(name, condition, f"{quote(column.name + ':')} || {shown} || {quote(f' is {word} {limit}')}")


def _bound(request: Request, column: Column, value: str, sign: str, bound: float | str) -> tuple[str, str]:
    """SQL of "the bound is broken", and the bound in words. `as_of` is the whole business day for a timestamp."""
    resolved = resolve_bound(bound, request.as_of)
    if column.data_type == "timestamp" and bound == "as_of":
        if sign == ">":
            return f"{value} >= timestamp '{request.day.end.isoformat(sep=' ')}'", f"the business day {resolved}"
        return f"{value} < timestamp '{request.day.start.isoformat(sep=' ')}'", f"the business day {resolved}"
    if column.data_type in ("date", "timestamp"):
        return f"{value} {sign} {column.data_type} {quote(str(resolved))}", str(resolved)
    if column.data_type == "varchar":
        return f"{value} {sign} {quote(str(resolved))}", str(resolved)
    try:
        return f"{value} {sign} {float(resolved):.15g}", f"{float(resolved):.15g}"
    except ValueError:
        raise ConfigError(
            f"contract {request.table}: the bound {bound!r} of {column.name} is not a number",
            remedy="correct min or max of the column",
        ) from None


def _rejected(piece: Piece, rules: list[_Rule], numbers: list[str]) -> str:
    names = " ".join(f"when {code} then {quote(rule.name)}" for code, rule in enumerate(rules, start=1))
    reasons = " ".join(f"when {code} then {rule.reason}" for code, rule in enumerate(rules, start=1))
    for n, name in enumerate(numbers, start=1):
        reasons += (
            f" when {MALFORMED - n} then {quote(f'{name} is not a number, and an expression in sources.yml needs one')}"
        )
    fields = ", ".join(f"{identifier(name)} := s{n}" for n, (name, _) in enumerate(piece.columns))
    raw = "s0" if piece.raw else f"to_json(struct_pack({fields}))"
    return (
        f"case when code is not null then cast(json_object('rule', case code when {MALFORMED} then 'malformed' "
        f"{names} else 'type' end, "
        f"'reason', case code when {MALFORMED} then broken {reasons} end, 'raw', cast({raw} as "
        "varchar)) as varchar) end"
    )


def _window_condition(request: Request) -> str | None:
    """SQL of "belongs to the window" over the typed event time; rows without one are kept, so that they are seen."""
    window, event_time = request.window, request.contract.event_time
    if window is None or event_time is None:
        return None
    position = list(request.contract.by_name).index(event_time)
    value = f"t{position}"
    if request.contract.by_name[event_time].data_type == "date":
        first = request.as_of - timedelta(days=request.contract.lookback_days)
        inside = f"{value} between date '{first.isoformat()}' and date '{request.as_of.isoformat()}'"
    else:
        inside = (
            f"{value} >= timestamp '{window[0].isoformat(sep=' ')}' and {value} < timestamp "
            f"'{window[1].isoformat(sep=' ')}'"
        )
    return f"({value} is null or ({inside}))"


def _as_number(name: str) -> str:
    return f"try_cast(nullif(trim({identifier(name)}), '') as {NUMBER})"

"""Row rules: the SELECT that types each row of a source, or says which rule of the contract it breaks.

Built as a few nested SELECTs, one idea each, so that nothing is computed twice; the reason and the raw form are only
computed for rows that break a rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import duckdb

from regulars.engine import identifier, quote
from regulars.mapping import NUMBER, Fit, Mapped, bind, map_columns, number_name
from regulars.privacy import pseudonym
from regulars.row_rules import Rule, column_rules, drift_rules, window_condition
from regulars.sources.base import RESERVED, Piece, Request
from regulars.typing_rules import input_of, typed

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


def plan_rows(request: Request, piece: Piece, engine: duckdb.DuckDBPyConnection) -> RowPlan:
    """The SELECT that lands `piece`. Raises ContractError where its columns are not what the contract expects."""
    columns = request.contract.columns
    fit = map_columns(request, piece, partial(bind, request, engine, piece))
    found = [fit.columns[column.name] for column in columns]
    where = (
        bind(request, engine, piece, request.source.where, f"tables.{request.table}.where")
        if request.source.where
        else None
    )
    window = None if piece.is_windowed else window_condition(request)
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
    rules = list(drift_rules(request, piece.source, fit))
    rules += [rule for n, column in enumerate(columns) for rule in column_rules(request, n, column, types[n])]
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


def _rejected(piece: Piece, rules: list[Rule], numbers: list[str]) -> str:
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


def _as_number(name: str) -> str:
    return f"try_cast(nullif(trim({identifier(name)}), '') as {NUMBER})"

"""The SELECT that types each row of a text table, or says which rule of the contract it breaks: as `regulars.rows` does.

Built as the same few nested SELECTs, so that nothing is computed twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from regulars.engine import identifier
from regulars.mapping import Fit, map_columns
from regulars.row_rules import Rule, column_rules, drift_rules, window_condition
from regulars.sources.base import Request
from regulars.staged.expressions import bind_expression
from regulars.staged.text_tables import FILE, RECORD, TextTable
from regulars.staged.typed_text import input_of, typed
from regulars.warehouse.snowflake_text import quote

MALFORMED = -1


@dataclass(frozen=True)
class StagedRows:
    """`select` gives file_name, record, t0 ... (typed columns in the contract's order), rule, reason and raw (null for a
    good row); `absent`: contract columns that the files lack."""

    select: str
    notes: tuple[str, ...]
    absent: tuple[str, ...]


def plan_staged_rows(request: Request, table: TextTable, *, is_dated: bool) -> StagedRows:
    """The rows of one text table. Raises ContractError where its columns are not what the contract expects."""
    columns = request.contract.columns
    bind = partial(bind_expression, request, table.piece)
    fit = map_columns(request, table.piece, bind)
    found = [fit.columns[column.name] for column in columns]
    where = bind(request.source.where, f"tables.{request.table}.where").sql if request.source.where else None

    mapped = _mapped(table, fit, [item.sql for item in found], where)
    kept = "file_name, record, code, broken, strange, raw"
    inputs = [f"{input_of(f'x{n}', column.data_type, request.read)} as i{n}" for n, column in enumerate(columns)]
    types = [typed(f"i{n}", f"t{n}", column.data_type, request.read) for n, column in enumerate(columns)]
    values = ", ".join(f"{item.value} as t{n}" for n, item in enumerate(types))
    typed_rows = f"select *, {values} from (select {kept}, {', '.join(inputs)} from ({mapped}))"
    window = None if is_dated else window_condition(request)
    if window:
        typed_rows = f"select * from ({typed_rows}) where code is not null or {window}"
    rules = list(drift_rules(request, table.piece.source, fit, quote))
    rules += [rule for n, column in enumerate(columns) for rule in column_rules(request, n, column, types[n], quote)]
    checks = " ".join(f"when {rule.broken} then {code}" for code, rule in enumerate(rules, start=1))
    code = f"case when code is not null then code {checks} end as verdict"
    return StagedRows(_judged(rules, len(columns), f"select *, {code} from ({typed_rows})"), fit.notes, fit.absent)


def _mapped(table: TextTable, fit: Fit, items: list[str], where: str | None) -> str:
    """file_name, record, code (of records that are malformed), why, a surplus column with a value, raw form, x0 ..."""
    broken = table.broken or "cast(null as varchar)"
    strange = " ".join(f"when {identifier(name)} is not null then {quote(name)}" for name in fit.surplus)
    fields = ", ".join(f"{quote(name)}, {identifier(name)}" for name, _ in table.piece.columns)
    raw = table.line or f"to_json(object_construct_keep_null({fields}))"
    listed = [
        f"{FILE} as file_name",
        f"{RECORD} as record",
        f"case when {broken} is not null then {MALFORMED} end as code",
        f"{broken} as broken",
        f"{f'case {strange} end' if strange else 'cast(null as varchar)'} as strange",
        f"{raw} as raw",
        *(f"cast({item} as varchar) as x{n}" for n, item in enumerate(items)),
    ]
    kept = f" where ({where}) or {broken} is not null" if where else ""
    return f"select {', '.join(listed)} from ({table.piece.relation}) as source{kept}"


def _judged(rules: list[Rule], width: int, checked: str) -> str:
    names = " ".join(f"when {code} then {quote(rule.name)}" for code, rule in enumerate(rules, start=1))
    reasons = " ".join(f"when {code} then {rule.reason}" for code, rule in enumerate(rules, start=1))
    values = ", ".join(f"t{n}" for n in range(width))
    return (
        f"select file_name, record, {values}, case verdict when {MALFORMED} then 'malformed' {names} end as rule, "
        f"case verdict when {MALFORMED} then broken {reasons} end as reason, "
        f"case when verdict is not null then raw end as raw from ({checked})"
    )

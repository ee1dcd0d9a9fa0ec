"""The rules of a contract as SQL over a row's inputs (`i0` ...) and typed values (`t0` ...), in words both engines read.

How text is written as a literal is the engine's own: `literal` says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from regulars.contracts import Column, resolve_bound
from regulars.engine import quote
from regulars.errors import ConfigError
from regulars.mapping import Fit, listed
from regulars.sources.base import Request
from regulars.typing_rules import Typed

SHOWN = 60  # characters of a value in a reason
SPACE = " \t\r\n"
Text = Callable[[str], str]


@dataclass(frozen=True)
class Rule:
    """SQL of "the row breaks it" and of the reason, which is text."""

    name: str
    broken: str
    reason: str


def drift_rules(request: Request, source: str, fit: Fit, literal: Text = quote) -> Iterator[Rule]:
    """Rows that say what the contract does not know, or cannot say what it asks for, where it wants them kept apart."""
    if fit.surplus:
        yield Rule("unknown_column", "strange is not null", "strange || ' is not in the contract'")
    if fit.absent and request.contract.on_drift == "quarantine":
        yield Rule("missing_column", "true", literal(f"{listed(fit.absent)} is missing in {source}"))


def column_rules(request: Request, n: int, column: Column, found: Typed, literal: Text = quote) -> Iterator[Rule]:
    """The rules of one column, in the order in which a row is judged."""
    is_text = column.data_type == "varchar"
    if column.required or column.name in request.contract.key:
        # A case, not an "and": the engine may look at the parts of a conjunction in any order, and trimming is dear.
        empty = f"i{n} is null"
        if is_text:
            text = f"cast(i{n} as varchar)"  # a typed source may give a number or a list
            empty = f"case when {text} < '!' then trim({text}, {literal(SPACE)}) = '' else i{n} is null end"
        yield Rule("required", empty, literal(f"{column.name} is required and empty"))
    shown = f"' ' || left(cast(i{n} as varchar), {SHOWN})" if not column.pii else "''"
    if found.ok != "true":
        yield Rule(
            "type",
            f"i{n} is not null and not {found.ok}",
            f"{literal(column.name + ':')} || {shown} || {literal(f' is not {column.data_type}')}",
        )
    if column.enum:
        listed = ", ".join(column.enum)
        values = ", ".join(map(literal, column.enum))
        yield Rule(
            "enum",
            f"cast(t{n} as varchar) not in ({values})",
            f"{literal(column.name + ':')} || {shown} || {literal(f' is none of {listed}')}",
        )
    for name, sign, word in (("min", "<", "below"), ("max", ">", "above")):
        bound = getattr(column, name)
        if bound is not None:
            condition, limit = _bound(request, column, f"t{n}", sign, bound, literal)
            yield Rule(name, condition, f"{literal(column.name + ':')} || {shown} || {literal(f' is {word} {limit}')}")


def _bound(
    request: Request, column: Column, value: str, sign: str, bound: float | str, literal: Text
) -> tuple[str, str]:
    """SQL of "the bound is broken", and the bound in words. `as_of` is the whole business day for a timestamp."""
    resolved = resolve_bound(bound, request.as_of)
    if column.data_type == "timestamp" and bound == "as_of":
        if sign == ">":
            return f"{value} >= timestamp '{request.day.end.isoformat(sep=' ')}'", f"the business day {resolved}"
        return f"{value} < timestamp '{request.day.start.isoformat(sep=' ')}'", f"the business day {resolved}"
    if column.data_type in ("date", "timestamp"):
        return f"{value} {sign} {column.data_type} {literal(str(resolved))}", str(resolved)
    if column.data_type == "varchar":
        return f"{value} {sign} {literal(str(resolved))}", str(resolved)
    try:
        return f"{value} {sign} {float(resolved):.15g}", f"{float(resolved):.15g}"
    except ValueError:
        raise ConfigError(
            f"contract {request.table}: the bound {bound!r} of {column.name} is not a number",
            remedy="correct min or max of the column",
        ) from None


def window_condition(request: Request) -> str | None:
    """SQL of "belongs to the window" over the typed event time; rows without one are kept, so that they are seen."""
    window, event_time = request.window, request.contract.event_time
    if window is None or event_time is None:
        return None
    position = list(request.contract.by_name).index(event_time)
    value = f"t{position}"
    if request.contract.by_name[event_time].data_type == "date":
        first = request.as_of - timedelta(days=request.lookback_days)
        inside = f"{value} between date '{first.isoformat()}' and date '{request.as_of.isoformat()}'"
    else:
        inside = (
            f"{value} >= timestamp '{window[0].isoformat(sep=' ')}' and {value} < timestamp "
            f"'{window[1].isoformat(sep=' ')}'"
        )
    return f"({value} is null or ({inside}))"

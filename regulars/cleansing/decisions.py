"""What people decide on mappings: plain records (of a CSV file, a spreadsheet tab, another store) and their checks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from regulars.cleansing.rules import MappingRule, not_a_word
from regulars.errors import ContractError

FIELDS = (
    "column", "kind", "raw", "canonical", "number", "status", "confidence", "rule", "seen_count", "first_seen",
    "last_seen", "decided_by", "decided_at",
)  # fmt: skip
NEEDED = ("column", "raw", "status")
NULL = "(null)"  # a value that is decided, or proposed, to be null; an empty cell says that there is none yet
STATUSES = ("approved", "proposed", "rejected")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
SHOWN = 10  # errors of one file in a message
# A spreadsheet would run these as a formula, or read them as a number: they get an apostrophe, which reading takes away.
FORMULA = re.compile(r"(?s)'*[=+\-@\t\r].*")


@dataclass(frozen=True)
class Decision:
    """A value of a column approved or rejected. `value` is text, or a Decimal for a column of numbers."""

    column: str
    raw: str
    status: str
    value: str | Decimal | None
    decided_by: str | None = None
    decided_at: datetime | None = None
    line: int = 0


def guarded(text: str) -> str:
    """A cell that no spreadsheet runs; `unguarded` gives the text back."""
    return f"'{text}" if FORMULA.fullmatch(text) else text


def unguarded(cell: str) -> str:
    """The text of a cell."""
    return cell[1:] if cell.startswith("'") and FORMULA.fullmatch(cell) else cell


def read_decisions(
    records: Iterable[tuple[int, Mapping[str, str]]], rules: Mapping[str, MappingRule], place: str, unit: str = "line"
) -> list[Decision]:
    """Decisions in records of (line, cells by FIELDS); those whose status is `proposed` or empty decide nothing. `unit` is
    what the place calls a line.

    Cells of other names are left alone. Raises ContractError with `place`, line, column and remedy for every wrong
    record (the first ten); nothing is taken over then.
    """
    decisions: dict[tuple[str, str], Decision] = {}
    wrong: list[str] = []
    for line, cells in records:
        try:
            decision = _read(line, {name: cells.get(name) or "" for name in FIELDS}, rules)
            if decision is None:
                continue
            first = decisions.setdefault((decision.column, decision.raw), decision)
            if (first.status, first.value) != (decision.status, decision.value):
                raise ValueError(f"raw: the same value was decided otherwise in {unit} {first.line}; leave one of them")
        except ValueError as error:
            wrong.append(f"{place}: {unit} {line}: {error}")
    if wrong:
        more = f"\nand {len(wrong) - SHOWN} more {unit}s" if len(wrong) > SHOWN else ""
        raise ContractError(
            "\n".join(wrong[:SHOWN]) + more, remedy=f"correct these {unit}s and import again; nothing was taken over"
        )
    return list(decisions.values())


def decide(column: str, raw: str, status: str, text: str, rules: Mapping[str, MappingRule]) -> Decision:
    """One decision; `text` is a canonical word, a number or `(null)`. Raises ValueError that begins with the field."""
    decision = _read(
        0, {**dict.fromkeys(FIELDS, ""), "column": column, "raw": raw, "status": status, "canonical": text, "number": text},
        rules,
    )  # fmt: skip
    assert decision is not None  # noqa: S101  # status is approved or rejected
    return decision


def _read(line: int, cells: Mapping[str, str], rules: Mapping[str, MappingRule]) -> Decision | None:
    status = cells["status"].strip().lower() or "proposed"
    if status not in STATUSES:
        raise ValueError(f"status: {status!r} is none of {', '.join(STATUSES)}")
    if status == "proposed":
        return None
    column = cells["column"].strip()
    rule = rules.get(column)
    if rule is None:
        near = difflib.get_close_matches(column, list(rules), n=1)
        raise ValueError(
            f"column: {column!r} is mapped by no contract that this store has seen"
            + (f" (nearest: {near[0]!r})" if near else "; run the flow once, or correct the name")
        )
    value: str | Decimal | None = None
    if status == "approved":
        value = _number(cells["number"]) if rule.mapping == "numbers" else _word(cells["canonical"], rule)
    return Decision(
        column, cells["raw"], status, value, cells["decided_by"].strip() or None, _time(cells["decided_at"]), line
    )


def _word(cell: str, rule: MappingRule) -> str | None:
    if not cell.strip():
        raise ValueError(f"canonical: is empty; write the word that is meant, or {NULL}")
    if cell == NULL:
        return None
    if isinstance(rule.vocabulary, tuple) and cell not in rule.vocabulary:
        raise ValueError(
            f"canonical: {cell!r}: {not_a_word(cell, rule.vocabulary)}; choose a word of it, or add this one to the contract"
        )
    return cell


def _number(cell: str) -> Decimal | None:
    text = cell.strip()
    if text == NULL:
        return None
    try:
        if NUMBER.fullmatch(text) and len(text) <= 80:
            return Decimal(text)
    except InvalidOperation:
        pass
    raise ValueError(f"number: {cell!r} is not written plainly, such as -1234.5; or write {NULL}")


def _time(cell: str) -> datetime | None:
    if not cell.strip():
        return None
    try:
        found = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise ValueError(f"decided_at: {cell!r} is no time such as 2026-01-31T12:00:00+00:00; leave it empty") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

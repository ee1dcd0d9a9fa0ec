"""Whether planted faults were caught, decided by SQL on the warehouse that was fed with them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from regulars.sample.draws import literal
from regulars.sample.faults import plan_faults
from regulars.sample.planted import Origin, Planted
from regulars.sample.spec import SampleSpec

Query = Callable[[str], list[tuple[Any, ...]]]  # runs one SELECT and gives all its rows


@dataclass(frozen=True)
class Caught:
    """Verdict on one fault; `found` says what the warehouse holds."""

    fault: Planted
    is_caught: bool
    found: str


def planted_until(spec: SampleSpec, day: date, origin: Origin = "postgres") -> list[Planted]:
    """Faults that a source of this kind has delivered and that can be judged once `day` was run."""
    return [fault for fault in plan_faults(spec).planted if fault.settled_on <= day and origin in fault.origins]


def check_planted(planted: Iterable[Planted], query: Query, deliveries: Sequence[Path] = ()) -> list[Caught]:
    """A verdict for each fault, from the tables of the warehouse and the delivered CSV files.

    docs/sample-data.md says for each kind what counts as caught. Formulas are judged by `deliveries` alone.
    """
    verdicts = []
    for fault in planted:
        if fault.kind == "formula":
            is_caught, found = _formula(fault, deliveries)
        else:
            is_caught, found = CHECKS[fault.kind](fault, query)
        verdicts.append(Caught(fault, is_caught, found))
    return verdicts


def _quarantined(fault: Planted, query: Query) -> tuple[bool, str]:
    column, value = fault.locator
    rule = f" and rule = {literal(fault.rule)}" if fault.rule else ""
    kept = _number(
        query,
        f"""
select count(*) from quarantine."ROWS"
where table_name = {literal(fault.table)} and as_of = {_date(fault.day)}{rule}
    and cast(raw as varchar) like {literal("%" + value + "%")}""",
    )
    loaded = _number(query, f"select count(*) from raw.{fault.table} where {column} = {literal(value)}")
    return kept > 0 and loaded == 0, f"{kept} in quarantine, {loaded} in raw"


def _duplicate(fault: Planted, query: Query) -> tuple[bool, str]:
    column, value = fault.locator
    rows, batches = query(f"""
select count(*), count(distinct _batch_id) from raw.{fault.table}
where {column} = {literal(value)} and _as_of = {_date(fault.day)}""")[0]
    dropped = _number(
        query,
        f"""
select coalesce(max(rows_duplicate), 0) from ops.ingestion_logs
where table_name = {literal(fault.table)} and as_of = {_date(fault.day)} and status = 'loaded'""",
    )
    return (
        rows > 0 and rows == batches and dropped > 0,
        f"{rows} rows in {batches} batches, {dropped} dropped as duplicates",
    )


def _versions(fault: Planted, query: Query) -> tuple[bool, str]:
    right = _history(query, fault, fault.day, str(fault.expect["where"]))
    return right == 1, f"{right} rows of history with {fault.expect['where']}"


def _unmatched(fault: Planted, query: Query) -> tuple[bool, str]:
    rows = _number(
        query,
        f"""
select coalesce(sum(row_count), 0) from marts.loyalty_unmatched_rows
where table_name = {literal(fault.table)} and reason = {literal(fault.kind)}""",
    )
    return rows > 0, f"{rows} rows counted as {fault.kind}"


def _vanished(fault: Planted, query: Query) -> tuple[bool, str]:
    marked = _history(query, fault, fault.day, f"is_deleted and valid_from = {_date(fault.day)}")
    return marked == 1, f"{marked} stretches marked as deleted"


def _returned(fault: Planted, query: Query) -> tuple[bool, str]:
    gone, back = (date.fromisoformat(fault.expect[name]) for name in ("gone_on", "back_on"))
    away = _history(query, fault, gone, f"is_deleted and valid_from = {_date(gone)} and valid_to = {_date(back)}")
    here = _history(query, fault, back, f"not is_deleted and valid_from = {_date(back)}")
    return away == 1 and here == 1, f"{away} stretches away, {here} after the return"


def _late(fault: Planted, query: Query) -> tuple[bool, str]:
    arrives = date.fromisoformat(fault.expect["arrives_on"])
    early = _history(query, fault, fault.day, "coalesce(login_count, 0) = 0")
    known = _history(query, fault, arrives, f"login_count = 1 and last_activity_on = {_date(fault.day)}")
    return early == 1 and known == 1, f"unknown before it arrived: {early == 1}, counted on its own day: {known == 1}"


def _revised(fault: Planted, query: Query) -> tuple[bool, str]:
    before = _history(query, fault, date.fromordinal(fault.day.toordinal() - 1), "coalesce(purchase_amount, 0) = 0")
    after = _history(query, fault, fault.day, f"purchase_amount = {fault.expect['after']}")
    return before == 1 and after == 1, f"corrected on its day: {after == 1}, earlier day untouched: {before == 1}"


def _shrunken(fault: Planted, query: Query) -> tuple[bool, str]:
    blocked, loaded = query(f"""
select max(case when status = 'blocked' then rows_read end), max(case when status = 'loaded' then rows_loaded end)
from ops.ingestion_logs where table_name = {literal(fault.table)} and as_of = {_date(fault.day)}""")[0]
    is_caught = blocked is not None and loaded is not None and loaded > 2 * blocked
    return is_caught, f"blocked with {blocked} rows, loaded with {loaded}"


def _formula(fault: Planted, deliveries: Sequence[Path]) -> tuple[bool, str]:
    """Caught: at least one delivered cell holds the text behind a character that keeps it from running, none bare."""
    bare = guarded = 0
    for path in deliveries:
        with open(path, encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    for text in fault.expect["texts"]:
                        bare += cell.strip() == text
                        guarded += cell.endswith(text) and cell.strip() != text
    return guarded > 0 and bare == 0, f"{guarded} neutralised cells, {bare} that would run"


CHECKS: dict[str, Callable[[Planted, Query], tuple[bool, str]]] = {
    "bad_row": _quarantined,
    "encoding": _quarantined,
    "malformed": _quarantined,
    "duplicate": _duplicate,
    "versions": _versions,
    "unknown_region": _unmatched,
    "unknown_user": _unmatched,
    "vanished": _vanished,
    "returned": _returned,
    "late": _late,
    "revised": _revised,
    "shrunken": _shrunken,
}


def _history(query: Query, fault: Planted, day: date, condition: str) -> int:
    """Rows of history that hold on the day for the user of the fault and meet the condition."""
    return _number(
        query,
        f"""
select count(*) from marts.loyalty_history
where user_id = {literal(fault.locator[1])} and valid_from <= {_date(day)}
    and (valid_to is null or valid_to > {_date(day)}) and {condition}""",
    )


def _number(query: Query, statement: str) -> int:
    return int(query(statement)[0][0])


def _date(day: date) -> str:
    return f"date '{day}'"

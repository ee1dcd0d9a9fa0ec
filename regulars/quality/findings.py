"""What detection found in one run: a row of `ops.findings` per rule, and the same as one JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from regulars.errors import ConfigError, FindingsError
from regulars.quality.detection import JudgedDay
from regulars.quality.finding_rules import RULES
from regulars.run import Run
from regulars.warehouse.base import Warehouse

SAMPLES = 5
FOUND = """
select
    rule, count(*), count(case when landed_on > ? then 1 end), min(lower_bound), max(upper_bound)
from marts.anomalies
group by rule
"""
SAMPLE_KEYS = """
select coalesce(order_id || coalesce(' line ' || line_id, ''), product_id, cast(ordered_on as varchar))
from marts.anomalies
where rule = ?
order by landed_on desc nulls last, abs(score) desc nulls last, order_id, line_id, product_id, ordered_on
limit {limit}
"""
NOT_JUDGED = (
    "select cast(coalesce(sum(line_count), 0) as bigint) from intermediate.int_line_statistics where not is_judged"
)
STATISTICAL = ("quantity_iqr", "quantity_mad", "amount_z", "amount_mad")


@dataclass(frozen=True)
class Found:
    """One rule of one run. `rows_new` landed after the newest day of the run before; bounds are null where each product has its own.

    `rows_not_judged` had too little history; `status` is found, none, or too little history (nothing could be judged).
    """

    rule: str
    table_name: str
    column_name: str
    status: str
    rows_found: int
    rows_new: int
    rows_not_judged: int
    lower_bound: float | None
    upper_bound: float | None
    sample_keys: str
    says: str
    suggestion: str
    sql: str


def summarise(
    warehouse: Warehouse, as_of: date, loads: Sequence[JudgedDay], totals: Sequence[JudgedDay]
) -> list[Found]:
    """Findings of every rule, in the order of the rules; a rule that found nothing is among them."""
    ((since,),) = warehouse.query("select max(as_of) from ops.findings where as_of < ?", [as_of])
    since = since or date.min
    found = {rule: tuple(facts) for rule, *facts in warehouse.query(FOUND, [since])}
    ((unjudged_lines,),) = warehouse.query(NOT_JUDGED)
    summaries = []
    for name, rule in RULES.items():
        if name == "load":
            summaries.append(_of_loads(loads, since))
            continue
        rows, new, lower, upper = found.get(name, (0, 0, None, None))
        keys = warehouse.query(SAMPLE_KEYS.format(limit=SAMPLES), [name]) if rows else []
        missing = unjudged_lines if name in STATISTICAL else 0
        if name == "daily_total":
            missing = sum(not one.verdict.is_judged for one in totals)
        own_bounds = name in STATISTICAL or name == "total_mismatch"
        summaries.append(
            Found(
                name, rule.table, rule.column, _status(rows, missing, is_whole=_nothing_judged(name, totals, missing)), rows, new, missing,
                None if own_bounds else lower, None if own_bounds else upper, ", ".join(str(key) for (key,) in keys),
                rule.says, rule.suggestion, rule.sql,
            )
        )  # fmt: skip
    return summaries


def _nothing_judged(rule: str, totals: Sequence[JudgedDay], missing: int) -> bool:
    return rule == "daily_total" and missing == len(totals)


def _of_loads(loads: Sequence[JudgedDay], since: date) -> Found:
    rule = RULES["load"]
    flagged = [one for one in loads if one.verdict.is_flagged]
    missing = sum(not one.verdict.is_judged for one in loads)
    latest = sorted(flagged, key=lambda one: (one.day, abs(one.verdict.score or 0)), reverse=True)[:SAMPLES]
    return Found(
        rule.name, rule.table, rule.column, _status(len(flagged), missing, is_whole=missing == len(loads)), len(flagged),
        sum(one.day > since for one in flagged), missing, None, None,
        ", ".join(f"{one.series} {one.day}" for one in latest), rule.says, rule.suggestion, rule.sql,
    )  # fmt: skip


def _status(found: int, missing: int, *, is_whole: bool) -> str:
    if found:
        return "found"
    return "too little history" if missing and is_whole else "none"


def ledger_rows(summaries: Sequence[Found], run: Run, detected_at: datetime) -> list[dict[str, Any]]:
    """Rows of `ops.findings`."""
    marks = {"run_id": run.run_id, "as_of": run.as_of, "detected_at": detected_at}
    return [asdict(summary) | marks for summary in summaries]


def write_summary(summaries: Sequence[Found], run: Run, folder: Path) -> Path:
    """The run's findings as `<folder>/<as_of>.json`, in place of those of an earlier run of the day."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{run.as_of}.json"
    draft = path.with_name(f".{path.name}.draft")
    document = {
        "run_id": run.run_id,
        "flow": run.flow,
        "as_of": run.as_of.isoformat(),
        "rows_found": sum(summary.rows_found for summary in summaries),
        "rows_new": sum(summary.rows_new for summary in summaries),
        "findings": [asdict(summary) for summary in summaries],
    }
    draft.write_text(json.dumps(document, indent=1) + "\n")
    draft.replace(path)
    return path


def markdown(summaries: Sequence[Found], as_of: date) -> str:
    """The summary as a table for people."""
    lines = [
        f"# Findings {as_of}",
        "",
        "| rule | table | rows | new | not judged | samples | what may be done |",
        "|---|---|--:|--:|--:|---|---|",
    ]
    lines += [
        f"| {one.rule}: {one.says} | {one.table_name} | {one.rows_found:,} | {one.rows_new:,} | {one.rows_not_judged:,} "
        f"| {one.sample_keys} | {one.suggestion if one.rows_found else ''} |"
        for one in summaries
    ]
    return "\n".join(lines)


def check_rule_names(names: Sequence[str]) -> None:
    """Raises ConfigError for a name that is no rule, nor `all`."""
    unknown = sorted(set(names) - set(RULES) - {"all"})
    if unknown:
        raise ConfigError(
            f"fail_on_findings: there is no rule {', '.join(unknown)}", remedy=f"all, or some of: {', '.join(RULES)}"
        )


def raise_if_wanted(summaries: Sequence[Found], names: Sequence[str]) -> None:
    """Raises FindingsError where a rule of `names` (all: any) found rows that are new since the run before."""
    bad = [one for one in summaries if one.rows_new and ("all" in names or one.rule in names)]
    if bad:
        listed = "\n".join(
            f"  {one.rule}: {one.rows_new:,} new rows of {one.table_name}, {one.says} ({one.sample_keys})"
            for one in bad
        )
        raise FindingsError(
            f"detection found what the run was told to stop for:\n{listed}",
            remedy="; ".join(f"{one.rule}: {one.suggestion}" for one in bad)
            + "; or run again without fail_on_findings, and it goes on",
        )

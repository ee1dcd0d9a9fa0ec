"""Detection on series: totals of days, and the loads of raw tables, each against its own past."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

import pyarrow as pa

from regulars.quality.series import Judged, judge_series
from regulars.warehouse.base import Warehouse

DAILY_TOTALS = """
select ordered_on, cast(net_amount as double) from marts.daily_sales order by ordered_on
"""
LOADS = """
select table_name, as_of, cast(sum(rows_loaded) as double), sum(seconds), cast(sum(bytes) as double)
from ops.ingestion_logs
where status = 'loaded' and table_name in ({tables}) and batch_id in (select batch_id from ops.effective_batches)
group by table_name, as_of
order by table_name, as_of
"""
MEASURES = ("rows", "seconds", "bytes")  # of a load, in the order of LOADS


@dataclass(frozen=True)
class JudgedDay:
    """A day of one series: `series` names it, for example `net_amount` or `orders rows`."""

    series: str
    day: date
    verdict: Judged

    @property
    def status(self) -> str:
        """judged, flagged, or too little history."""
        if not self.verdict.is_judged:
            return "too little history"
        return "flagged" if self.verdict.is_flagged else "judged"


def judge_daily_totals(warehouse: Warehouse) -> list[JudgedDay]:
    """Net amount of every day since the first order; a day without orders counts as zero."""
    found = dict(warehouse.query(DAILY_TOTALS))
    if not found:
        return []
    first, last = min(found), max(found)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return _judge("net_amount", [(day, found.get(day, 0.0)) for day in days])


def judge_loads(warehouse: Warehouse, tables: Sequence[str]) -> list[JudgedDay]:
    """Rows, seconds and bytes of every landed day of each table, by weekday."""
    listed = ", ".join("?" for _ in tables)
    found = warehouse.query(LOADS.format(tables=listed), list(tables))
    verdicts = []
    for table, rows in groupby(found, key=lambda row: row[0]):
        days = list(rows)
        for place, measure in enumerate(MEASURES, start=2):
            verdicts += _judge(f"{table} {measure}", [(row[1], float(row[place] or 0)) for row in days])
    return verdicts


def as_table(verdicts: Iterable[JudgedDay]) -> pa.Table:
    """Rows of `ops.judged_series`."""
    days = list(verdicts)
    columns: dict[str, Sequence[object]] = {
        "series": [one.series for one in days],
        "day": [one.day for one in days],
        "observed": [one.verdict.value for one in days],
        "expected": [one.verdict.expected for one in days],
        "lower_bound": [one.verdict.lower for one in days],
        "upper_bound": [one.verdict.upper for one in days],
        "score": [one.verdict.score for one in days],
        "status": [one.status for one in days],
    }
    kinds = {"series": pa.string(), "day": pa.date32(), "status": pa.string()}
    return pa.table({name: pa.array(values, kinds.get(name, pa.float64())) for name, values in columns.items()})


def _judge(series: str, points: Sequence[tuple[date, float]]) -> list[JudgedDay]:
    verdicts = judge_series([value for _, value in points], [day.isoweekday() for day, _ in points])
    return [JudgedDay(series, day, verdict) for (day, _), verdict in zip(points, verdicts, strict=True)]

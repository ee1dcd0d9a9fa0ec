"""Which pictures there are of a refresh, and where their rows come from."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from regulars.charts import shop
from regulars.warehouse.base import Warehouse

HISTORY = "select ordered_on, cast(net_amount as double) from marts.daily_sales order by ordered_on"
FORECAST = """
select forecast_on, forecast_amount, lower_80, upper_80, lower_95, upper_95
from marts.sales_forecast where series = 'total' order by forecast_on
"""
CURRENCY = "select coalesce(max(currency_code), '') from marts.fact_orders"
SHARES = """
select coalesce(category_name, category_id), cast(sum(net_amount) as double) as amount
from marts.product_category_sales
where month_starts_on > ? and net_amount > 0
group by category_id, coalesce(category_name, category_id)
order by amount desc nulls last, category_id
"""
RETENTION = "select cohort_month, months_since, cohort_customer_count, retention from marts.customer_cohorts"
SEGMENTS = """
select segment, count(*), cast(sum(net_amount) as double) from marts.rfm_segments
group by segment order by count(*) desc nulls last, segment
"""
FINDINGS = (
    "select rule, rows_found, rows_new from ops.findings where as_of = ? order by rows_found desc nulls last, rule"
)


@dataclass(frozen=True)
class Picture:
    """One picture; `says` is read out where it cannot be seen."""

    name: str
    says: str
    svg: bytes


def draw_gallery(warehouse: Warehouse, as_of: date, run_day: date) -> list[Picture]:
    """The pictures for which there are rows. `as_of` is the newest landed day, `run_day` the one detection reported for."""
    year_before = date(as_of.year - 1, as_of.month, 1)
    history, forecast = warehouse.query(HISTORY), warehouse.query(FORECAST)
    ((currency,),) = warehouse.query(CURRENCY)
    shares, cohorts = warehouse.query(SHARES, [year_before]), warehouse.query(RETENTION)
    segments, rules = warehouse.query(SEGMENTS), warehouse.query(FINDINGS, [run_day])
    drawn = (
        (
            "sales-forecast",
            "Net amount a day and its forecast",
            history and shop.sales_forecast(history, forecast, currency),
        ),
        ("category-shares", "Share of net amount by category", shares and shop.category_shares(shares)),
        ("cohort-retention", "Customers who bought again, by cohort", cohorts and shop.cohort_retention(cohorts)),
        ("rfm-segments", "Customers by RFM segment", segments and shop.rfm_segments(segments)),
        ("findings", "What detection found", rules and shop.findings(rules)),
    )
    return [Picture(name, says, svg) for name, says, svg in drawn if isinstance(svg, bytes)]


def write_gallery(pictures: Sequence[Picture], folder: Path) -> list[Path]:
    """Each picture as `<folder>/<name>.svg`, in place of an earlier one."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for picture in pictures:
        path = folder / f"{picture.name}.svg"
        draft = path.with_name(f".{path.name}.draft")
        draft.write_bytes(picture.svg)
        draft.replace(path)
        paths.append(path)
    return paths


def as_markdown(pictures: Sequence[Picture], as_of: date) -> str:
    """A page that holds the pictures themselves: it needs no file beside it."""
    lines = [f"# The shop on {as_of}"]
    for picture in pictures:
        lines.append(f"![{picture.says}](data:image/svg+xml;base64,{b64encode(picture.svg).decode()})")
    return "\n\n".join(lines)

"""From marts to science and back: inputs are read as Arrow, results stored in `ops` for models of stage `insights`.

This needs the extra `science` and says so when it is imported.
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from regulars.results import store_result
from regulars.science.lifetime_value import LifetimeValues, estimate_lifetime_value
from regulars.science.sales_forecast import SalesForecast, forecast_sales
from regulars.science.unusual_customers import UnusualCustomers, find_unusual_customers
from regulars.settings import Settings
from regulars.warehouse.base import Warehouse

TOTAL = "total"
# The parameter is the number of categories with a series of their own.
SERIES = """
select
    case when category_rank <= ? then 'category ' || category_id else 'other categories' end as series,
    ordered_on as date,
    cast(sum(net_amount) as double) as value
from intermediate.int_sales_series
group by 1, 2
"""
ANY_CATEGORY = "select count(*) from intermediate.int_sales_series where category_rank <= ?"
HISTORIES = (
    "select customer_id, frequency, recency_weeks, age_weeks, monetary_mean from intermediate.int_purchase_histories"
)
FIRST_ORDER = "select min(first_ordered_on) from intermediate.int_purchase_histories"
FEATURES = "select * from marts.customer_features where order_count > 0"  # of the others there is nothing to compare


def forecast_categories(warehouse: Warehouse, as_of: date, settings: Settings) -> SalesForecast:
    """Forecast net amounts of `horizon_days` by category and in total. Accuracy of earlier days stays.

    The greatest `categories` have a series each, the rest one together; without any, the total is all there is.
    """
    sales = warehouse.arrow(SERIES, [settings.science.categories])
    ((categories,),) = warehouse.query(ANY_CATEGORY, [settings.science.categories])
    if not categories:
        sales = sales.set_column(0, "series", pa.array([TOTAL] * len(sales), pa.string()))
    found = forecast_sales(
        sales, as_of=as_of, horizon=settings.science.horizon_days, total=TOTAL if categories else None
    )
    store_result(warehouse, settings, "sales_forecasts", _of_day(found.forecasts, as_of, date="forecast_on"))
    store_result(warehouse, settings, "forecast_trials", _of_day(found.accuracy, as_of), of_day=as_of)
    days = {"first_date": "first_on", "last_date": "last_on"}
    periods = {"periods": "days", "minimum_periods": "minimum_days", "filled_periods": "filled_days"}
    store_result(warehouse, settings, "forecast_series", _of_day(found.series, as_of, **days, **periods))
    return found


def value_customers(warehouse: Warehouse, as_of: date, settings: Settings) -> LifetimeValues:
    """Estimate what everyone who ever bought will buy in `lifetime_weeks`, and what that is worth."""
    found = estimate_lifetime_value(
        warehouse.arrow(HISTORIES),
        as_of=as_of,
        horizon_weeks=settings.science.lifetime_weeks,
        yearly_discount_rate=settings.science.yearly_discount_rate,
    )
    store_result(warehouse, settings, "lifetime_values", _of_day(found.customers, as_of))
    fits = _with(found.models, "horizon_weeks", settings.science.lifetime_weeks)
    store_result(
        warehouse,
        settings,
        "lifetime_value_fits",
        _of_day(_with(fits, "yearly_discount_rate", settings.science.yearly_discount_rate), as_of),
    )
    return found


def flag_customers(warehouse: Warehouse, as_of: date, settings: Settings) -> UnusualCustomers:
    """Flag the `unusual_share` of those who ever bought that is easiest to set apart, with the reasons."""
    ((first,),) = warehouse.query(FIRST_ORDER)
    found = find_unusual_customers(
        warehouse.arrow(FEATURES).drop_columns(["as_of"]),
        first_date=first or as_of,
        as_of=as_of,
        seed=settings.science.seed,
        share=settings.science.unusual_share,
    )
    flagged = found.customers.filter(pc.field("is_flagged"))
    store_result(warehouse, settings, "flagged_customers", _of_day(flagged, as_of, rank="unusual_rank"))
    store_result(warehouse, settings, "flagged_reasons", _of_day(found.reasons, as_of))
    features = _of_day(found.features, as_of, status="feature_status")
    for name, value in (("status", found.status), ("reason", found.reason), ("customers", len(found.customers))):
        features = _with(features, name, value)
    store_result(warehouse, settings, "judged_features", features)
    return found


def _of_day(rows: pa.Table, as_of: date, **renamed: str) -> pa.Table:
    """The rows with their `as_of` and columns renamed as the tables of `ops` call them."""
    named = rows.rename_columns([renamed.get(name, name) for name in rows.column_names])
    return named.append_column("as_of", pa.repeat(pa.scalar(as_of, pa.date32()), len(rows)))


def _with(rows: pa.Table, name: str, value: float | str) -> pa.Table:
    return rows.append_column(name, pa.repeat(pa.scalar(value), len(rows)))

"""Customers in one row each."""

import great_expectations as gx

from expectations import shop
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("customer_id",)
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.customer_360",
        expectations=[
            *rules.query_value(
                "rows_equal_customers",
                "There is a row for every known customer.",
                "select count(*) - (select count(*) from marts.dim_customers where is_current and customer_id is not null) from {batch}",
                block=(0, 0),
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "segment_where_ordered",
                "Who ordered has a segment, and nobody else.",
                "(order_count > 0) = (rfm_segment is not null)",
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "orders_in_order",
                "The first order is not after the latest, nor that after the day.",
                f"first_ordered_on <= last_ordered_on and last_ordered_on <= date '{context.as_of}'",
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "recency_agrees",
                "Days since the latest order are counted to as_of.",
                "days_since_last_order = as_of - last_ordered_on",
                remedy=REBUILD,
            ),
            *shop.of_newest_day(context, severity="block"),
        ],
    )

"""Features of customers: what science computes with."""

import great_expectations as gx

from expectations import shop
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("customer_id",)
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"
SAME_TOTALS = """select count(*) from (select customer_id, order_count, net_amount from marts.customer_360 where not
    is_deleted) as c full outer join {batch} as f on c.customer_id = f.customer_id where c.customer_id is null or
    f.customer_id is null or c.order_count <> f.order_count or c.net_amount <> f.net_amount"""
WITHIN = """coalesce(return_share + cancellation_share, 0) between 0 and 1.000001 and coalesce(favourite_category_share,
    0) <= 1 and coalesce(category_concentration, 0) <= 1 and abs(coalesce(order_count_trend, 0)) <= 1 and
    abs(coalesce(net_amount_trend, 0)) <= 1"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.customer_features",
        expectations=[
            *rules.query_value(
                "totals_equal_customers",
                "Orders and amounts are those of customer_360.",
                SAME_TOTALS,
                block=(0, 0),
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "shares_within",
                "Shares lie between 0 and 1, trends between -1 and 1.",
                WITHIN,
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "known_where_ordered",
                "Who ordered has a recency, and nobody else.",
                "(order_count > 0) = (recency_days is not null)",
                remedy=REBUILD,
            ),
            *shop.of_newest_day(context, severity="block"),
        ],
    )

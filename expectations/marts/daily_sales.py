"""Sales by day."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("ordered_on",)
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"
ORDERS = "count(case when sale_line_count > 0 then 1 end)"
SUMS = "cast(sum(net_amount) as decimal(18,2)) as net_amount, cast(sum(line_count) as bigint) as line_count"
SAME_SUMS = f"""select abs(d.net_amount - o.net_amount) + abs(d.line_count - o.line_count) + abs(d.order_count - o.order_count)
    from (select {SUMS}, cast(sum(order_count) as bigint) as order_count from {{batch}}) as d
    cross join (select {SUMS}, {ORDERS} as order_count from marts.fact_orders where not is_deleted) as o"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.daily_sales",
        expectations=[
            *rules.query_value(
                "adds_up_to_orders", "Days add up to the orders.", SAME_SUMS, block=(0, 0), remedy=REBUILD
            ),
            rules.rows_hold(
                "customers_within_orders",
                "No more customers than orders, and no more orders than lines of sale.",
                "customer_count + unknown_customer_order_count <= order_count and order_count <= sale_line_count",
                remedy=REBUILD,
            ),
            *rules.query_value(
                "sold_lately",
                "Something was sold in the last week.",
                f"select count(*) from {{batch}} where ordered_on > date '{context.as_of}' - 7",
                warn=(1, None),
                remedy="ask sales whether the shop was closed; else its export has stopped",
            ),
        ],
    )

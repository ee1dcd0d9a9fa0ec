"""Orders with what their lines add up to."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("order_id",)
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"
AMOUNT = "coalesce(total_amount, round(quantity * unit_price, 2), 0)"
MEASURES = {
    "line_count": "case when line_type <> 'removed' then 1 else 0 end",
    "gross_amount": f"case when line_type = 'sale' then {AMOUNT} else 0 end",
    "net_amount": f"case when line_type = 'sale' or (line_type <> 'removed' and quantity < 0) then {AMOUNT} else 0 end",
}
OF_ORDERS = ", ".join(f"cast(sum({name}) as decimal(18,2)) as {name}" for name in MEASURES)
OF_LINES = ", ".join(f"cast(sum({sql}) as decimal(18,2)) as {name}" for name, sql in MEASURES.items())
APART = " + ".join(f"abs(o.{name} - l.{name})" for name in MEASURES)
SAME_SUMS = f"""select {APART} from (select {OF_ORDERS} from {{batch}}) as o
    cross join (select {OF_LINES} from marts.fact_order_items where ordered_on is not null) as l"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.fact_orders",
        expectations=[
            *rules.query_value(
                "one_currency",
                "All orders are in one currency: amounts are added up.",
                "select count(distinct currency_code) from {batch}",
                block=(None, 1),
                remedy="let sources.yml take orders of one currency by `where`, or convert amounts in the query",
                bad_rows="select currency_code, min(order_id) as order_id from {batch} where currency_code is not null group by currency_code",
            ),
            *rules.query_value(
                "sums_equal_lines",
                "Orders add up to what the lines of known orders add up to.",
                SAME_SUMS,
                block=(0, 0),
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "lines_are_told_apart",
                "A line is a sale, a return or a cancellation.",
                "line_count = sale_line_count + return_line_count + cancellation_line_count",
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "nothing_from_tomorrow",
                "No order is dated after the day.",
                f"ordered_on <= date '{context.as_of}'",
                remedy="look for future dates in raw.orders: the contract keeps them out",
            ),
            *rules.share(
                "customers_known",
                "Nearly every customer that an order names is known.",
                "customer_id is not null and customer_key = 'unknown'",
                block=(None, 0.5),
                warn=(None, 0.05),
                remedy="check that customers was delivered whole and that both come from the same system",
            ),
            *rules.share(
                "orders_with_lines",
                "Nearly every order has lines.",
                "line_count = 0 and not is_deleted",
                block=(None, 0.9),
                warn=(None, 0.2),
                remedy="check that order_items was delivered whole",
            ),
        ],
    )

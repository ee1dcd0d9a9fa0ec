"""Lines of orders."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("order_id", "line_id")
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.fact_order_items",
        expectations=[
            *rules.share(
                "orders_known",
                "Nearly every line has its order.",
                "ordered_on is null",
                block=(None, 0.5),
                warn=(None, 0.05),
                remedy="check that orders was delivered whole and that both come from the same system",
            ),
            *rules.share(
                "products_known",
                "Nearly every product that a line names is known.",
                "product_id is not null and product_key = 'unknown'",
                block=(None, 0.5),
                warn=(None, 0.05),
                remedy="check that products was delivered whole and that both come from the same system",
            ),
            rules.rows_hold(
                "nothing_sold_backwards",
                "A line of negative quantity is no sale.",
                "quantity >= 0 or line_type <> 'sale'",
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "taken_out_is_removed",
                "A line that was taken out counts as removed.",
                "not is_deleted or line_type = 'removed'",
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "nothing_from_tomorrow",
                "No line is dated after the day.",
                f"ordered_on <= date '{context.as_of}'",
                remedy="look for future dates in raw.orders: the contract keeps them out",
            ),
        ],
    )

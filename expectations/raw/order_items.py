"""Lines of orders: lines without a total, of negative price or quantity are welcome; a day that holds little else is not."""

from typing import Any

import great_expectations as gx

from expectations import shop
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask sales about the export of order lines; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.order_items",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.2, ceiling=5.0),
            *rules.one_version(context),
            *rules.share(
                "lines_unpriced",
                "Nearly every line has an amount or a price.",
                "total_amount is null and unit_price is null",
                block=(None, 0.5),
                warn=(None, 0.05),
                remedy=ASK,
            ),
            *rules.share(
                "lines_taken_back",
                "Most lines sell something.",
                "quantity < 0",
                block=(None, 0.95),
                warn=(None, 0.4),
                remedy=ASK,
            ),
            *rules.share(
                "lines_of_nothing", "Few lines are about no unit.", "quantity = 0", warn=(None, 0.05), remedy=ASK
            ),
            rules.filled("product_id", 0.8, remedy=ASK),
            *price_level(context),
            *shop.newest_change(context),
        ],
    )


def price_level(context: SuiteContext) -> list[Any]:
    """The middle price against that of the batch before: cents that are sent for euros, for instance."""
    if context.before is None or context.before.rows < rules.ENOUGH_ROWS:
        return []
    before = context.rows_of("order_items", context.before, "unit_price")
    return rules.query_value(
        "price_level",
        "The middle price is near that of the batch before.",
        f"select case when count(*) < {rules.ENOUGH_ROWS} then null else cast(median(unit_price) as double) "
        f"/ nullif((select cast(median(unit_price) as double) from ({before}) as earlier), 0) end from {{batch}}",
        warn=(0.2, 5),
        remedy=f"compare the unit of unit_price with the batch before, and {ASK}",
    )

"""Products of the shop: how many change differs from week to week, so their number is no rule."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask merchandising about the product list; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.products",
        expectations=[
            *rules.few_quarantined(context),
            rules.filled("product_name", 0.8, remedy=ASK),
            *rules.share(
                "products_removed",
                "The source does not take out products by the dozen.",
                "is_removed",
                warn=(None, 0.2),
                remedy=ASK,
            ),
            *rules.share("products_free", "Few products cost nothing.", "list_price = 0", warn=(None, 0.1), remedy=ASK),
        ],
    )

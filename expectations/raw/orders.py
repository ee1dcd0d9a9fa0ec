"""Orders: anonymous ones, cancelled ones and returned ones are welcome; a day that holds little else is not."""

import great_expectations as gx

from expectations import shop
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask sales about the order export; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.orders",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.2, ceiling=5.0),
            *rules.one_version(context),
            rules.rows_hold(
                "ordered_before_update",
                "An order is not changed before it was placed.",
                "ordered_at <= updated_at",
                severity="warn",
                mostly=0.99,
                min_rows=50,
                remedy=ASK,
            ),
            rules.rows_hold(
                "steps_in_order",
                "An order is delivered after it was shipped, and shipped after it was placed.",
                "coalesce(shipped_at, ordered_at) >= ordered_at and coalesce(delivered_at, shipped_at) >= shipped_at",
                severity="warn",
                mostly=0.95,
                min_rows=50,
                remedy=ASK,
            ),
            rules.rows_hold(
                "currency_is_iso",
                "A currency is a code of three letters.",
                "length(trim(currency_code)) = 3",
                severity="warn",
                remedy=f"map currency_code to ISO 4217 in sources.yml, or {ASK}",
            ),
            *rules.share(
                "orders_cancelled",
                "Most orders are not cancelled.",
                "status = 'cancelled'",
                block=(None, 0.95),
                warn=(None, 0.4),
                remedy=ASK,
            ),
            *rules.share(
                "orders_anonymous", "Most orders name a customer.", "customer_id is null", warn=(None, 0.5), remedy=ASK
            ),
            *shop.newest_change(context),
        ],
    )

"""Customers of the shop: how many change differs from week to week, so their number is no rule."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask the owner of the customer records; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.customers",
        expectations=[
            *rules.few_quarantined(context),
            rules.rows_hold(
                "signed_up_before_update",
                "Nobody changed before being known.",
                "signed_up_on <= cast(updated_at as date) + 1",
                severity="warn",
                mostly=0.99,
                min_rows=50,
                remedy=ASK,
            ),
            *rules.measure(
                "countries_spelled",
                "Countries are names or codes, not free text.",
                "count(distinct country)",
                warn=(None, 260),
                remedy=f"map the column to one spelling in sources.yml, or {ASK}",
            ),
            *rules.share(
                "customers_removed",
                "The source does not take out customers by the dozen.",
                "is_removed",
                warn=(None, 0.2),
                remedy=ASK,
            ),
        ],
    )

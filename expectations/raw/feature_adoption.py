"""First and last use of features."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask product about the feature log; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.feature_adoption",
        expectations=[
            *rules.arrived_as_usual(context),
            *rules.one_version(context),
            *rules.known_members(context),
            *rules.of_the_day(context, "last_used_at"),
            rules.rows_hold(
                "used_in_order",
                "The first use is not after the last.",
                "first_used_at <= last_used_at",
                mostly=0.99,
                remedy=ASK,
            ),
            rules.rows_hold(
                "used_once_or_more",
                "A row stands for at least one use.",
                "usage_count >= 1",
                mostly=0.95,
                severity="warn",
                remedy=ASK,
            ),
            rules.filled("usage_count", 0.9, remedy=ASK),
        ],
    )

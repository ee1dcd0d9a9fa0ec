"""Views of help articles and FAQ entries."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask support about the help centre's log; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.product_support_usage",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.2, ceiling=5.0),
            *rules.one_version(context),
            *rules.known_members(context),
            *rules.of_the_day(context, "viewed_at"),
            rules.rows_hold(
                "reading_ends",
                "A page is read for at most a day.",
                "reading_seconds <= 86400",
                mostly=0.98,
                severity="warn",
                remedy=ASK,
            ),
            rules.filled("content_id", 0.8, remedy=ASK),
        ],
    )

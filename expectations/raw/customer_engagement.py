"""The sheet of client engagement, whole, as the operational store staged it."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask operations to correct the sheet; the next run takes it in again"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.customer_engagement",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.7, ceiling=2.0),
            *rules.one_version(context, warn=0.0, block=0.01),
            rules.rows_hold(
                "months_begin_on_the_first",
                "A month is given by its first day, so that no client has two rows for one month.",
                "extract(day from period_starts_on) = 1",
                remedy="let the staging model cut the day to its month",
            ),
            rules.rows_hold(
                "months_have_begun",
                "No row speaks of a month to come.",
                f"period_starts_on <= date '{context.as_of}'",
                severity="warn",
                remedy=ASK,
            ),
            rules.rows_hold(
                "contact_within_month",
                "The last contact of a month lies in it.",
                "cast(date_trunc('month', last_contact_on) as date) = period_starts_on",
                severity="warn",
                mostly=0.95,
                remedy=ASK,
            ),
            rules.rows_hold(
                "spend_not_negative",
                "Clients rarely get back more than they spend in a month.",
                "spend_amount >= 0",
                severity="warn",
                mostly=0.98,
                remedy=ASK,
            ),
            rules.filled("engagement_level", 0.7, remedy=ASK),
            rules.filled("session_count", 0.7, remedy=ASK),
            rules.filled("client_name", 0.9, remedy=ASK),
        ],
    )

"""Issue tickets in their newest states."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask support about the ticket system's export; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.issue_tickets",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.2, ceiling=5.0),
            *rules.one_version(context),
            *rules.known_members(context),
            *rules.of_the_day(context, "updated_at"),
            rules.rows_hold(
                "opened_before_update",
                "A ticket is not changed before it was opened.",
                "opened_at <= updated_at",
                mostly=0.99,
                remedy=ASK,
            ),
            *rules.share(
                "tickets_deleted",
                "Few tickets are withdrawn: a mass deletion would empty the open counts.",
                "status = 'deleted'",
                block=(None, 0.6),
                warn=(None, 0.2),
                remedy=ASK,
            ),
            rules.filled("category", 0.5, remedy=ASK),
        ],
    )

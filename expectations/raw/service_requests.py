"""Requests for services in their newest states."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask support about the request system's export; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.service_requests",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.2, ceiling=5.0),
            *rules.one_version(context),
            *rules.known_members(context),
            *rules.of_the_day(context, "updated_at"),
            rules.rows_hold(
                "requested_before_update",
                "A request is not changed before it was made.",
                "requested_at <= updated_at",
                mostly=0.99,
                remedy=ASK,
            ),
            *rules.share(
                "requests_cancelled",
                "Few requests are cancelled.",
                "status = 'cancelled'",
                warn=(None, 0.5),
                remedy=ASK,
            ),
            rules.filled("request_type", 0.5, remedy=ASK),
        ],
    )

"""Users who came back to a campaign, event or community."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask support how returns to campaigns are recorded; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.repeat_engagements",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.2, ceiling=5.0),
            *rules.one_version(context),
            *rules.known_members(context),
            *rules.of_the_day(context, "engaged_at"),
            rules.filled("channel", 0.5, remedy=ASK),
            *rules.measure(
                "kinds_of_engagement",
                "There are few kinds of engagement, not free text.",
                "count(distinct engagement_type)",
                warn=(None, 100),
                remedy=ASK,
            ),
        ],
    )

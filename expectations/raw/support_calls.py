"""Telephone calls with support."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask support about the telephone system's export; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.support_calls",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.2, ceiling=5.0),
            *rules.one_version(context),
            *rules.known_members(context),
            *rules.of_the_day(context, "started_at"),
            rules.rows_hold(
                "calls_end",
                "A call lasts at most eight hours.",
                "duration_seconds <= 8 * 3600",
                mostly=0.98,
                severity="warn",
                remedy=ASK,
            ),
            *rules.share(
                "calls_with_length",
                "Most calls last longer than no time at all.",
                "duration_seconds > 0",
                block=(0.05, None),
                warn=(0.8, None),
                remedy=ASK,
            ),
            rules.filled("topic", 0.5, remedy=ASK),
        ],
    )

"""Chats with support."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask support about the chat system's export; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.support_chats",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.2, ceiling=5.0),
            *rules.one_version(context),
            *rules.known_members(context),
            *rules.of_the_day(context, "started_at"),
            *rules.share(
                "chats_with_messages",
                "Most chats hold a message.",
                "message_count > 0",
                block=(0.05, None),
                warn=(0.8, None),
                remedy=ASK,
            ),
            *rules.measure(
                "mean_satisfaction",
                "Satisfaction is not stuck at one end of the scale.",
                "avg(cast(satisfaction_rating as double))",
                warn=(1.2, 4.9),
                remedy=ASK,
            ),
        ],
    )

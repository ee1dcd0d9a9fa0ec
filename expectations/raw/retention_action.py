"""Interventions for users with low engagement; few a day."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask customer-success how the interventions were recorded"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    repeated = (
        f"select user_id, count(*) as actions from {{batch}} where acted_at >= timestamp "
        f"'{context.day.start}' group by user_id having count(*) > 5"
    )
    return gx.ExpectationSuite(
        name="raw.retention_action",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.2, ceiling=5.0),
            *rules.one_version(context),
            *rules.known_members(context),
            *rules.of_the_day(context, "acted_at"),
            rules.filled("outcome", 0.7, remedy=ASK),
            *rules.share(
                "outcomes_differ",
                "Interventions are not all accepted.",
                "outcome = 'accepted'",
                warn=(None, 0.9),
                remedy=ASK,
            ),
            rules.no_rows(
                "users_not_flooded",
                "No user got more than five interventions on one day.",
                repeated,
                severity="warn",
                remedy=ASK,
            ),
        ],
    )

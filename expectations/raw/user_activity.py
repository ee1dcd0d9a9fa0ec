"""Logins, purchases and feedback: the counts that every segment stands on."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask customer-platform about the activity export of the day; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.user_activity",
        expectations=[
            *rules.arrived_as_usual(context),
            *rules.one_version(context),
            *rules.known_members(context),
            *rules.of_the_day(context, "occurred_at"),
            rules.rows_hold(
                "purchase_has_amount",
                "A purchase has an amount and a currency.",
                "purchase_amount is not null and currency_code is not null or activity_type <> 'purchase'",
                mostly=0.98,
                remedy=ASK,
            ),
            rules.rows_hold(
                "amount_only_on_purchase",
                "Only a purchase has an amount.",
                "purchase_amount is null or activity_type = 'purchase'",
                mostly=0.98,
                remedy=ASK,
            ),
            rules.rows_hold(
                "rating_only_on_feedback",
                "Only feedback has a rating.",
                "feedback_rating is null or activity_type = 'feedback'",
                mostly=0.98,
                severity="warn",
                remedy=ASK,
            ),
            *rules.share(
                "logins",
                "Logins are neither missing nor all there is.",
                "activity_type = 'login'",
                warn=(0.1, 0.99),
                remedy=ASK,
            ),
            *rules.share(
                "purchases", "Somebody bought something.", "activity_type = 'purchase'", warn=(1e-9, None), remedy=ASK
            ),
            *rules.measure(
                "hours_covered",
                "Activity is spread over the hours of the day, not all at one clock time.",
                "count(distinct extract(hour from occurred_at))",
                warn=(6, None),
                remedy=f"times may have been cut to dates: {ASK}",
            ),
            *rules.measure(
                "mean_purchase",
                "The mean purchase is not absurd (cents taken for euros, for instance).",
                "cast(avg(purchase_amount) as double)",
                warn=(0.5, 10000),
                remedy=ASK,
            ),
        ],
    )

"""Engagement of clients in projects, over time."""

import great_expectations as gx

from expectations.engagement import REBUILD, of_newest_landing
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("client_id", "project_code")
TOTALS = "coalesce(sum(session_count), 0) as session_count, coalesce(sum(spend_amount), 0) as spend_amount"
SAME_SUMS = f"""select abs(s.session_count - m.session_count) + abs(s.spend_amount - m.spend_amount)
    from (select {TOTALS} from {{batch}}) as s
    cross join (select {TOTALS} from marts.customer_engagement_monthly
        where month_starts_on <= (select max(as_of) from {{batch}})) as m"""
SAME_PAIRS = """select abs((select count(*) from {batch})
    - (select count(*) from (select distinct client_id, project_code from marts.customer_engagement_monthly) as pairs))
    + abs((select coalesce(sum(month_count), 0) from {batch}) - (select count(*) from marts.customer_engagement_monthly))"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.customer_engagement_summary",
        expectations=[
            of_newest_landing(context),
            *rules.query_value(
                "adds_up_to_months",
                "Sessions and spend are those of the months.",
                SAME_SUMS,
                block=(0, 0),
                remedy=REBUILD,
            ),
            *rules.query_value(
                "every_client_and_project",
                "Every client and project of the sheet is there, matched or not.",
                SAME_PAIRS,
                block=(0, 0),
                on_empty=True,
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "active_or_lapsed",
                "Nobody is active and lapsed at once, and who was ever active is one of them.",
                "not (is_active and is_lapsed) and (last_activity_on is null or is_active or is_lapsed)",
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "dates_in_order",
                "First dates are no later than last ones, and nothing happened after the day.",
                "first_month_on <= last_month_on and coalesce(first_contact_on <= last_contact_on, true) "
                "and coalesce(last_activity_on <= as_of, true)",
                remedy=REBUILD,
            ),
            *rules.share(
                "unknown_projects",
                "Few clients are in projects that DIM_PROJECT does not have.",
                "not is_matched",
                min_rows=20,
                block=(None, 0.5),
                warn=(None, 0.05),
                remedy="look at marts.engagement_unmatched: correct codes in the sheet, or have the projects added; "
                "rows that match again are found by the next run",
            ),
        ],
    )

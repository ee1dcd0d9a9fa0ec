"""Engagement of clients by project and month."""

import great_expectations as gx

from expectations.engagement import REBUILD
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("client_id", "project_code", "month_starts_on")
TWO_BEGINNINGS = """select client_id, project_code, count(*) as beginnings from {batch} where level_change = 'first'
    group by client_id, project_code having count(*) > 1"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    sheet = context.visible_rows("customer_engagement", "distinct client_id, project_code, period_starts_on")
    return gx.ExpectationSuite(
        name="marts.customer_engagement_monthly",
        expectations=[
            *rules.query_value(
                "every_row_of_the_sheet",
                "The table has the rows of the sheet, no fewer and no more.",
                f"select abs((select count(*) from {{batch}}) - (select count(*) from ({sheet}) as sheet))",
                block=(0, 0),
                on_empty=True,
                remedy=REBUILD,
            ),
            rules.no_rows(
                "one_first_level",
                "A client begins once with a level in a project.",
                TWO_BEGINNINGS,
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "totals_hold_the_month",
                "Running totals are no smaller than the month that they end with.",
                "session_count_to_date >= session_count",
                remedy=REBUILD,
            ),
        ],
    )

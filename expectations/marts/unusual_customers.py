"""Customers unlike the others."""

import great_expectations as gx

from expectations import shop
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("customer_id",)
REDO = "run the flow again; a difference is a fault of regulars.science"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.unusual_customers",
        expectations=[
            rules.rows_hold("score_is_a_share", "Scores lie between 0 and 1.", "score between 0 and 1", remedy=REDO),
            *rules.query_value(
                "ranks_whole",
                "Ranks count up from 1.",
                "select max(unusual_rank) - count(*) from {batch}",
                block=(0, 0),
                remedy=REDO,
            ),
            rules.rows_hold(
                "reasons_given",
                "A flagged customer has a reason.",
                "coalesce(reason_1, '') <> ''",
                severity="warn",
                remedy=REDO,
            ),
            *shop.of_newest_day(context),
        ],
    )

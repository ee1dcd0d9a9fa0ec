"""Versions of customers."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("customer_key",)
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.dim_customers",
        expectations=[
            rules.no_rows(
                "one_newest_version",
                "A customer has one newest version.",
                "select customer_id, count(*) as versions from {batch} where is_current and customer_id is not null group by customer_id having count(*) > 1",
                remedy=REBUILD,
            ),
            *rules.query_value(
                "one_unknown_row",
                "One row stands for customers that nobody knows.",
                "select count(*) from {batch} where customer_key = 'unknown'",
                block=(1, 1),
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "versions_forward",
                "A version holds for a day at least.",
                "valid_from < coalesce(valid_to, date '9999-12-31')",
                remedy=REBUILD,
            ),
        ],
    )

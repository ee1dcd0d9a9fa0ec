"""Versions of products."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("product_key",)
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.dim_products",
        expectations=[
            rules.no_rows(
                "one_newest_version",
                "A product has one newest version.",
                "select product_id, count(*) as versions from {batch} where is_current and product_id is not null group by product_id having count(*) > 1",
                remedy=REBUILD,
            ),
            *rules.query_value(
                "one_unknown_row",
                "One row stands for products that nobody knows.",
                "select count(*) from {batch} where product_key = 'unknown'",
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

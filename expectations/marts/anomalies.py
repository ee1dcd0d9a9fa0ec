"""What detection found."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("rule", "order_id", "line_id", "product_id", "ordered_on")
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.anomalies",
        expectations=[
            rules.rows_hold(
                "outside_the_bounds",
                "What is called odd lies on or outside its bounds.",
                "observed <= lower_bound + 0.000001 or observed >= upper_bound - 0.000001",
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "landed_by_the_day",
                "Nothing was found that had not landed.",
                f"landed_on <= date '{context.as_of}'",
                remedy=REBUILD,
            ),
        ],
    )

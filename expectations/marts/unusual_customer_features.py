"""Features by which customers were judged."""

import great_expectations as gx

from expectations import shop
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("feature",)
REDO = "run the flow again; a difference is a fault of regulars.science"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.unusual_customer_features",
        expectations=[
            *rules.share(
                "could_be_judged",
                "There were customers and features enough to judge by.",
                "status <> 'found'",
                min_rows=1,
                warn=(None, 0),
                remedy="the column reason says what is missing",
            ),
            *rules.share(
                "features_used",
                "Most features could be used.",
                "feature_status <> 'used'",
                min_rows=1,
                warn=(None, 0.5),
                remedy="look at the features that are constant or null: a source may lack the column",
            ),
            *shop.of_newest_day(context),
        ],
    )

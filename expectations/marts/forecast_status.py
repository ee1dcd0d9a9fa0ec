"""Which series could be forecast."""

import great_expectations as gx

from expectations import shop
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("series",)
REDO = "run the flow again; a difference is a fault of regulars.science"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.forecast_status",
        expectations=[
            *rules.share(
                "enough_history",
                "Most series are long enough to be forecast.",
                "status = 'short_history'",
                min_rows=1,
                warn=(None, 0.5),
                remedy="wait, or lower REGULARS_SCIENCE__HORIZON_DAYS: the reason of each series says how many days it lacks",
            ),
            rules.rows_hold(
                "forecast_where_said",
                "A series of status forecast has a model, and no other.",
                "(status = 'forecast') = (model is not null)",
                remedy=REDO,
            ),
            *shop.of_newest_day(context),
        ],
    )

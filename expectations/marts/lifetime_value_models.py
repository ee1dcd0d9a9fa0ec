"""The models behind lifetime values."""

import great_expectations as gx

from expectations import shop
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("model",)
REDO = "run the flow again; a difference is a fault of regulars.science"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.lifetime_value_models",
        expectations=[
            *rules.share(
                "models_fitted",
                "Both models could be fitted.",
                "status not in ('fitted', 'at_limit')",
                min_rows=1,
                warn=(None, 0),
                remedy="the reason of each model says what is missing; docs/science.md says what may be done",
            ),
            rules.rows_hold(
                "parameters_where_fitted",
                "A fitted model has its likelihood.",
                "log_likelihood is not null or status not in ('fitted', 'at_limit')",
                remedy=REDO,
            ),
            *shop.of_newest_day(context),
        ],
    )

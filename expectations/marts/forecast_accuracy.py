"""How forecasts would have done."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("as_of", "series", "model")
REDO = "run the flow again; a difference is a fault of regulars.science"
WORSE = """select c.as_of, c.series, c.model from {batch} as c inner join {batch} as n on c.as_of = n.as_of and c.series
    = n.series and n.model = 'seasonal_naive' where c.is_chosen and (c.rmse > n.rmse * 1.000000001 or c.mae >
    n.mae * 1.000000001)"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.forecast_accuracy",
        expectations=[
            rules.no_rows(
                "one_model_chosen",
                "One model is chosen for each series that was tried.",
                "select as_of, series from {batch} group by as_of, series having count(case when is_chosen then 1 end) <> 1",
                remedy=REDO,
            ),
            rules.no_rows(
                "not_worse_than_naive",
                "The chosen model did not do worse than seasonal naive.",
                WORSE,
                remedy=REDO,
            ),
            *rules.query_value(
                "intervals_hold",
                "Intervals of the newest forecasts held about as many days as they say.",
                "select avg(coverage_80_pct) from {batch} where is_chosen and as_of = (select max(as_of) from {batch})",
                warn=(60, None),
                remedy="take the intervals for narrower than they are; a changed season or a few odd days are usual causes",
            ),
        ],
    )

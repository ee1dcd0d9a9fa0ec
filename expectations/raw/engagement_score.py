"""Scores of the department's own model: a broken model shows in the distribution."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask data-science whether the model ran well; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.engagement_score",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.3, ceiling=5.0),
            *rules.one_version(context),
            *rules.known_members(context),
            *rules.of_the_day(context, "scored_on"),
            *rules.graded(
                gx.expectations.ExpectColumnMeanToBeBetween,
                "mean_score",
                "The mean score lies well inside the scale of 0 to 100.",
                column="engagement_score",
                block=(1, 99),
                warn=(15, 85),
                remedy=ASK,
            ),
            *rules.measure(
                "score_spread",
                "Users score differently.",
                "stddev_samp(engagement_score)",
                block=(1e-9, None),
                warn=(3, None),
                remedy=ASK,
            ),
            *rules.measure(
                "model_versions",
                "The scores come from one or two versions of the model.",
                "count(distinct model_version)",
                warn=(None, 2),
                remedy=ASK,
            ),
        ],
    )

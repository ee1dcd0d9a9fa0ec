"""Baselines of engagement: they decide who is called engaged, so a wrong one must not be published."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask sales-operations to correct the thresholds; land the day again with refresh after the fix"
FURTHEST_MOVE = 20  # points between two deliveries


def build(context: SuiteContext) -> gx.ExpectationSuite:
    expectations = [
        *rules.arrived_as_usual(context, floor=0.5, ceiling=2.0),
        *rules.one_version(context, warn=0.0, block=0.5),
        rules.rows_hold(
            "low_under_high",
            "The low threshold lies under the high one.",
            "low_engagement_score < high_engagement_score",
            remedy=ASK,
        ),
        rules.rows_hold(
            "thresholds_apart",
            "Between the thresholds there is room for medium engagement (5 points).",
            "high_engagement_score - low_engagement_score >= 5",
            severity="warn",
            remedy=ASK,
        ),
    ]
    if "region_metadata" in context.visible:
        regions = context.visible_rows("region_metadata", "region_code")
        expectations.append(
            rules.no_rows(
                "thresholds_have_regions",
                "Thresholds name a known region.",
                f"select region_code from {{batch}} where region_code not in ({regions})",
                severity="warn",
                remedy=ASK,
            )
        )
    if context.before is not None:
        before = context.rows_of(
            "region_thresholds", context.before, "region_code, low_engagement_score, high_engagement_score"
        )
        expectations.append(
            rules.no_rows(
                "thresholds_steady",
                f"No threshold moved by more than {FURTHEST_MOVE} points since the delivery before.",
                f"select b.region_code from {{batch}} as b inner join ({before}) as p on b.region_code = p.region_code "
                f"where abs(b.low_engagement_score - p.low_engagement_score) > {FURTHEST_MOVE} "
                f"or abs(b.high_engagement_score - p.high_engagement_score) > {FURTHEST_MOVE}",
                severity="warn",
                remedy="ask sales-operations whether the move is meant: many users change band with it",
            )
        )
    return gx.ExpectationSuite(name="raw.region_thresholds", expectations=expectations)

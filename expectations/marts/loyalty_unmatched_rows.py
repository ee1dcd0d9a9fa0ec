"""Rows that name someone outside the population: counted, never blocking."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("table_name", "reason")


def build(context: SuiteContext) -> gx.ExpectationSuite:
    rows = sum(state.rows for name, state in context.visible.items() if name != context.population)
    return gx.ExpectationSuite(
        name="marts.loyalty_unmatched_rows",
        expectations=[
            rules.rows_hold(
                "reasons_known",
                "Rows are unmatched for a known reason.",
                "reason in ('unknown_user', 'left_user', 'unknown_region')",
                severity="warn",
                remedy="add the new reason here and to docs/models.md",
            ),
            rules.rows_hold(
                "members_within_rows",
                "No more members than rows.",
                "member_count <= row_count",
                severity="warn",
                remedy="rebuild the model",
            ),
            *rules.measure(
                "unmatched_share",
                f"At most a tenth of the {rows:,} landed rows is unmatched.",
                f"cast(sum(row_count) as double) / nullif({rows}, 0)",
                min_rows=0,
                warn=(None, 0.1),
                remedy="check that user_profile and the event tables come from the same system and day",
            ),
        ],
    )

"""Users per region and feature."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("region_code", "module", "feature")
REBUILD = "rebuild the model; a difference is a fault of the models"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.feature_adoption_by_region",
        expectations=[
            rules.rule(
                gx.expectations.ExpectCompoundColumnsToBeUnique,
                "one_row_per_feature",
                "A region and feature have one row.",
                severity="block",
                column_list=list(KEYS),
                remedy=REBUILD,
                bad_rows=(
                    "select region_code, module, feature from {batch} group by region_code, module, feature "
                    "having count(*) > 1"
                ),
            ),
            rules.rows_hold(
                "users_within_region",
                "No more users than the region has.",
                "user_count between 1 and region_user_count",
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "share_agrees",
                "The share is users by users of the region.",
                "abs(user_share - cast(user_count as double) / nullif(region_user_count, 0)) <= 0.0001",
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "used_in_order",
                "The first use is not after the last.",
                "first_used_on <= last_used_on",
                mostly=0.95,
                severity="warn",
                remedy="see used_in_order of raw.feature_adoption",
            ),
        ],
    )

"""Changes to daily activity that the day's batches brought; earlier days passed their own gate."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("user_id", "activity_on", "landed_on")
REBUILD = "rebuild with `dbt build --full-refresh`; a difference is a fault of the models"


def rows(context: SuiteContext) -> str:
    return (
        "select user_id, activity_on, landed_on, login_count, purchase_count from marts.user_daily_activity "
        f"where landed_on = date '{context.as_of}'"
    )


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.user_daily_activity",
        expectations=[
            rules.no_rows(
                "one_row_per_day",
                "A user, day of activity and day of landing have one row.",
                (
                    "select user_id, activity_on, landed_on from {batch} group by user_id, activity_on, "
                    "landed_on having count(*) > 1"
                ),
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "landed_after_it_happened",
                "Nothing landed before it happened (scores and features may carry a later date).",
                "activity_on <= landed_on",
                mostly=0.98,
                remedy="look for event times in the future, and at REGULARS_TIMEZONE",
            ),
            *rules.share(
                "late_by_weeks",
                "Little of what the day brought is older than a month.",
                "activity_on < landed_on - 31",
                warn=(None, 0.2),
                remedy=(
                    "ask the owners of the event tables whether history was delivered again; reset first_day "
                    "if it was meant"
                ),
            ),
            *rules.measure(
                "corrections",
                "Few counts are corrected downwards.",
                "cast(count(case when login_count < 0 or purchase_count < 0 then 1 end) as double) / count(*)",
                warn=(None, 0.1),
                remedy="compare the batch with the one it corrects: events may have lost their identifiers",
            ),
        ],
    )

"""The master as of the day: what Marketing, Customer Success and Product read, so nearly every rule blocks."""

from typing import Any

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("user_id",)
WINDOWED = ("login_count", "purchase_count", "feedback_count", "purchase_amount")
OTHER_COUNTS = (
    *("support_call_count", "support_chat_count", "ticket_count", "open_ticket_count", "service_request_count"),
    *("open_service_request_count", "help_view_count", "repeat_engagement_count", "retention_action_count"),
    "feature_count",
)
REBUILD = "rebuild with `dbt build --full-refresh` and compare; a difference is a fault of the models"
CHECK_BANDS = "check raw.region_thresholds and the scores of the day"
SPREAD = "Scores spread over the bands; scores or thresholds are wrong where nearly everyone falls into one."
BAND = """engagement_band = case
    when engagement_score is null or low_engagement_score is null or high_engagement_score is null then 'unknown'
    when engagement_score >= high_engagement_score then 'high'
    when engagement_score <= low_engagement_score then 'low'
    else 'medium'
end"""
PAST = """coalesce(last_activity_on, snapshot_date) <= snapshot_date
    and coalesce(scored_on, snapshot_date) <= snapshot_date
    and coalesce(signed_up_on, snapshot_date) <= snapshot_date + 1"""
OPEN_ROWS = "select user_id from marts.loyalty_history where valid_to is null and not is_deleted"
NEGATIVE = " and ".join(f"{name} >= 0" for name in (*WINDOWED, *OTHER_COUNTS))
NESTED = " and ".join(f"{name}_7d <= {name}_30d and {name}_30d <= {name}_90d" for name in WINDOWED)
WITHIN = " and ".join(f"{name}_90d <= {name}" for name in WINDOWED)
COPIES = "select user_id, count(*) as copies from {batch} group by user_id having count(*) > 1"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.loyalty_master", expectations=[*row_rules(context), *identities(context), *shares()]
    )


def row_rules(context: SuiteContext) -> list[Any]:
    """What holds in every row by itself."""
    open_within = "open_ticket_count <= ticket_count and open_service_request_count <= service_request_count"
    conditions = {
        "windows_nested": ("What happened in 7 days is within 30 days, and that within 90 days.", NESTED),
        "windows_within_totals": ("What happened in 90 days is within all that ever happened.", WITHIN),
        "nothing_negative": ("No count or amount is negative.", NEGATIVE),
        "open_within_all": ("Open tickets and requests are among all of them.", open_within),
        "band_agrees": ("The band follows from the score and the region's thresholds.", BAND),
        "is_of_the_day": ("The master is the one of the day.", f"snapshot_date = date '{context.as_of}'"),
    }
    return [
        *(rules.rows_hold(name, says, condition, remedy=REBUILD) for name, (says, condition) in conditions.items()),
        rules.rows_hold(
            *("nothing_from_tomorrow", "Nothing is dated after the day.", PAST),
            severity="warn",
            mostly=0.999,
            remedy="look for future dates in the newest batches",
        ),
    ]


def identities(context: SuiteContext) -> list[Any]:
    """What the master must have in common with the population, the history and the activity."""
    day = f"date '{context.as_of}'"
    members = context.visible_rows(context.population or "user_profile", "trim(user_id) as user_id")
    sums = ", ".join(f"coalesce(sum({name}), 0) as {name}" for name in WINDOWED)
    apart = " + ".join(f"abs(m.{name} - a.{name})" for name in WINDOWED)
    activity = f"""select {sums} from marts.user_daily_activity
        where landed_on <= {day} and user_id in (select user_id from marts.loyalty_master)"""

    def as_many(name: str, says: str, others: str, where: str = "1 = 1") -> list[Any]:
        mine, theirs = (
            f"select count(*) from {{batch}} where {where}",
            f"select count(distinct user_id) from ({others})",
        )
        return rules.query_value(
            *(name, says, f"select ({mine}) - ({theirs} as o)"),
            block=(0, 0),
            on_empty=True,
            remedy=REBUILD,
            bad_rows=f"select user_id from {{batch}} where {where} and user_id not in ({others})",
        )

    return [
        rules.rule(
            gx.expectations.ExpectColumnProportionOfUniqueValuesToBeBetween,
            *("one_row_per_user", "A user has one row."),
            severity="block",
            column="user_id",
            min_value=1,
            remedy=REBUILD,
            bad_rows=COPIES,
        ),
        *as_many("rows_equal_population", "Rows with a profile are the newest population.", members, "has_profile"),
        *as_many("rows_equal_history", "The master has the users whose history is open and not deleted.", OPEN_ROWS),
        *rules.query_value(
            *("totals_equal_activity", "Logins, purchases, feedback and amounts add up to the users' daily activity."),
            f"select {apart} from (select {sums} from {{batch}}) as m cross join ({activity}) as a",
            block=(0, 0),
            on_empty=True,
            remedy=REBUILD,
        ),
    ]


def shares() -> list[Any]:
    """How users spread over the bands."""
    known, unknown = "Most users have a score and thresholds.", "engagement_band = 'unknown'"
    return [
        *rules.share("band_unknown", known, unknown, block=(None, 0.98), warn=(None, 0.6), remedy=CHECK_BANDS),
        *rules.share("band_high", SPREAD, "engagement_band = 'high'", warn=(None, 0.7), remedy=CHECK_BANDS),
        *rules.share("band_low", SPREAD, "engagement_band = 'low'", warn=(None, 0.7), remedy=CHECK_BANDS),
    ]

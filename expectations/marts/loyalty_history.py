"""Stretches of unchanged facts per user. Rules look at stretches that ended in the last month or are open."""

from datetime import timedelta

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("user_id", "valid_from")
LOOK_BACK = timedelta(days=30)
REBUILD = "rebuild the history with `dbt build --full-refresh`; a broken stretch is a fault of the models"
APART = """select user_id, valid_from from (
    select user_id, valid_from, valid_to,
        lead(valid_from) over (partition by user_id order by valid_from nulls last, valid_to nulls last) as next_from
    from {batch}
) as s where next_from is not null and (valid_to is null or valid_to <> next_from)"""
NOT_ONE_OPEN = """select user_id, count(case when valid_to is null then 1 end) as open_stretches
    from {batch} group by user_id having count(case when valid_to is null then 1 end) <> 1"""
PRESENT = "nullif(count(case when valid_to is null then 1 end), 0)"


def rows(context: SuiteContext) -> str:
    since = context.as_of - LOOK_BACK
    return f"""select user_id, is_deleted, valid_from, valid_to from marts.loyalty_history
        where valid_to is null or valid_to >= date '{since}'"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    day = f"date '{context.as_of}'"
    changed = f"cast(count(case when valid_from = {day} then 1 end) as double) / {PRESENT}"
    deleted = f"cast(count(case when is_deleted and valid_from = {day} then 1 end) as double) / {PRESENT}"
    joined = "A user's stretches neither overlap nor leave a gap."
    return gx.ExpectationSuite(
        name="marts.loyalty_history",
        expectations=[
            rules.rows_hold(
                "stretches_forward", "A stretch ends after it begins.", "valid_from < valid_to", remedy=REBUILD
            ),
            rules.rows_hold("begins_by_the_day", "None begins after the day.", f"valid_from <= {day}", remedy=REBUILD),
            rules.no_rows("stretches_join", joined, APART, remedy=REBUILD),
            rules.no_rows("one_open_stretch", "A user has exactly one open stretch.", NOT_ONE_OPEN, remedy=REBUILD),
            *rules.measure(
                "changed_on_the_day",
                "Not everyone changed on the day, unless it is the first.",
                f"case when min(valid_from) < {day} then {changed} end",
                warn=(None, 0.9),
                remedy="look for a tracked column that changes by itself",
            ),
            *rules.measure(
                "deleted_on_the_day",
                "Few users left on the day.",
                deleted,
                block=(None, 0.5),
                warn=(None, 0.05),
                remedy="check whether user_profile was delivered whole",
            ),
        ],
    )

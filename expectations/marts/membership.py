"""Who is in which segment, before any team gets a list."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("segment", "user_id")
REBUILD = "rebuild the membership with `dbt build --full-refresh --select membership`"
OVERLAPS = """select segment, user_id from (
    select segment, user_id, left_on,
        lead(entered_on) over (
            partition by segment, user_id order by entered_on nulls last, left_on nulls last
        ) as next_on
    from {batch}
) as s where next_on is not null and (left_on is null or left_on > next_on)"""
STRANGERS = """select segment, user_id from {batch}
    where left_on is null and user_id not in (select user_id from marts.loyalty_master)"""
BIGGEST = """select cast(max(members) as double) / nullif((select count(*) from marts.loyalty_master), 0)
    from (select segment, count(*) as members from {batch} where left_on is null group by segment) as s"""
RENEWED = """select max(
        case when staying + entering >= 200 and first_day < {day}
            then cast(entering as double) / (staying + entering) end
    )
    from (
        select segment, min(entered_on) as first_day, count(case when entered_on = {day} then 1 end) as entering,
            count(case when entered_on < {day} then 1 end) as staying
        from {{batch}} where left_on is null or left_on = {day} group by segment
    ) as s"""


def rows(context: SuiteContext) -> str:
    return "select segment, user_id, entered_on, left_on from segments.membership"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    day = f"date '{context.as_of}'"
    no_overlap = "The stays of one user in one segment do not overlap."
    not_tomorrow = "Nobody entered after the day."
    return gx.ExpectationSuite(
        name="marts.membership",
        expectations=[
            rules.rows_hold("stays_forward", "A member leaves after entering.", "entered_on < left_on", remedy=REBUILD),
            rules.rows_hold("entered_by_the_day", not_tomorrow, f"entered_on <= {day}", remedy=REBUILD),
            rules.no_rows("stays_apart", no_overlap, OVERLAPS, remedy=REBUILD),
            rules.no_rows("members_are_users", "Every present member is in the master.", STRANGERS, remedy=REBUILD),
            *rules.query_value(
                "biggest_segment",
                "No segment holds nearly the whole population.",
                BIGGEST,
                block=(None, 0.95),
                warn=(None, 0.7),
                remedy="look at the segment's rules and at engagement_band in marts.loyalty_master",
            ),
            *rules.query_value(
                "entered_on_the_day",
                "No segment renewed itself on one day.",
                RENEWED.format(day=day),
                warn=(None, 0.5),
                remedy="compare thresholds and scores with the day before",
            ),
        ],
    )

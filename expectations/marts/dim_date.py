"""The calendar."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("date_on",)
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.dim_date",
        expectations=[
            *rules.query_value(
                "days_whole",
                "No day of the calendar is missing.",
                "select max(date_on) - min(date_on) + 1 - count(*) from {batch}",
                block=(0, 0),
                remedy="make the calendar again: regulars run transform --set stage=sales",
            ),
            *rules.query_value(
                "day_within",
                "The day lies well within the calendar.",
                f"select count(*) from {{batch}} where date_on > date '{context.as_of}'",
                block=(1, None),
                warn=(366, None),
                remedy="set var calendar of dbt/warehouse/dbt_project.yml to a later end",
            ),
        ],
    )

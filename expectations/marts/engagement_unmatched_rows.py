"""Months of the sheet that do not match the table of projects: counted, never blocking by themselves."""

import great_expectations as gx

from expectations.engagement import REBUILD
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("reason",)


def build(context: SuiteContext) -> gx.ExpectationSuite:
    sheet = context.visible.get("customer_engagement")
    rows = sheet.rows if sheet else 0
    return gx.ExpectationSuite(
        name="marts.engagement_unmatched_rows",
        expectations=[
            *rules.query_value(
                "counts_what_is_listed",
                "As many rows are counted as engagement_unmatched lists.",
                "select abs((select coalesce(sum(row_count), 0) from {batch}) - (select count(*) from marts.engagement_unmatched))",
                block=(0, 0),
                on_empty=True,
                remedy=REBUILD,
            ),
            *rules.measure(
                "unmatched_share",
                f"At most a tenth of the {rows:,} rows of the sheet is unmatched.",
                f"cast(sum(row_count) as double) / nullif({rows}, 0)",
                min_rows=0,
                warn=(None, 0.1),
                remedy="look at marts.engagement_unmatched, by reason",
            ),
        ],
    )

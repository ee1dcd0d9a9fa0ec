"""Categories of products."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask merchandising about the categories; land the day again with refresh after the fix"
TWINS = """select category_name, count(distinct category_id) as categories from {batch} where not coalesce(is_removed,
    false) group by category_name having count(distinct category_id) > 1"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.categories",
        expectations=[
            *rules.few_quarantined(context),
            rules.filled("category_name", 0.9, remedy=ASK),
            rules.no_rows(
                "names_differ",
                "Two categories do not have one name.",
                TWINS,
                severity="warn",
                remedy=ASK,
            ),
        ],
    )

"""The company's table of projects, which is read and never written."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask the project office to correct the table of projects; land the day again with refresh after the fix"
TWINS = """select upper(trim(project_code)) as code, count(distinct project_code) as codes from {batch}
    group by upper(trim(project_code)) having count(distinct project_code) > 1"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="raw.dim_project",
        expectations=[
            *rules.arrived_as_usual(context, floor=0.7, ceiling=2.0),
            *rules.one_version(context, warn=0.0, block=0.01),
            rules.no_rows(
                "codes_differ",
                "No two codes differ by case or spaces alone.",
                TWINS,
                severity="warn",
                remedy=ASK,
            ),
            rules.rows_hold(
                "ends_after_start",
                "A project does not end before it starts.",
                "ended_on >= started_on",
                severity="warn",
                remedy=ASK,
            ),
            rules.rows_hold(
                "currency_is_iso",
                "A currency is a code of three letters.",
                "length(currency_code) = 3 and currency_code = upper(currency_code)",
                severity="warn",
                remedy=ASK,
            ),
        ],
    )

"""Sales regions: a handful of rows that every account refers to."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

ASK = "ask sales-operations to correct the list of regions; land the day again with refresh after the fix"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    expectations = [
        *rules.arrived_as_usual(context, floor=0.5, ceiling=2.0),
        *rules.one_version(context, warn=0.0, block=0.5),
        rules.rule(
            gx.expectations.ExpectColumnProportionOfUniqueValuesToBeBetween,
            "region_names_differ",
            "No two regions have one name.",
            column="region_name",
            min_value=1,
            remedy=ASK,
            bad_rows="select region_name, count(*) as regions from {batch} group by region_name having count(*) > 1",
        ),
        rules.rows_hold(
            "country_is_iso",
            "A country is a code of two letters.",
            "length(country_code) = 2 and country_code = upper(country_code)",
            severity="warn",
            mostly=0.9,
            remedy=ASK,
        ),
    ]
    if "region_thresholds" in context.visible:
        thresholds = context.visible_rows("region_thresholds", "region_code")
        expectations.append(
            rules.no_rows(
                "regions_have_thresholds",
                "Every region has thresholds; without them its users fall into the band unknown.",
                f"select region_code from {{batch}} where region_code not in ({thresholds})",
                severity="warn",
                remedy=ASK,
            )
        )
    return gx.ExpectationSuite(name="raw.region_metadata", expectations=expectations)

"""Cohorts of customers and how they come back."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("cohort_month", "months_since")
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.customer_cohorts",
        expectations=[
            rules.rows_hold(
                "whole_at_first",
                "In its first month all of a cohort buys.",
                "active_customer_count = cohort_customer_count or months_since > 0",
                remedy=REBUILD,
            ),
            *rules.query_value(
                "sizes_add_up",
                "Cohorts hold every customer who ever bought.",
                "select coalesce(sum(cohort_customer_count), 0) - (select count(*) from marts.rfm_segments) from {batch} where months_since = 0",
                block=(0, 0),
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "retention_agrees",
                "Retention is active customers by those of the cohort.",
                "abs(retention - cast(active_customer_count as double) / nullif(cohort_customer_count, 0)) <= 0.000001",
                remedy=REBUILD,
            ),
        ],
    )

"""Rows of facts that lack a member: counted, never blocking."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("table_name", "reason")
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.sales_unmatched_rows",
        expectations=[
            rules.rows_hold(
                "reasons_known",
                "Rows are unmatched for a known reason.",
                "reason in ('no_customer_id', 'unknown_customer', 'unknown_order', 'no_product_id', 'unknown_product')",
                severity="warn",
                remedy="add the new reason here and to docs/sales.md",
            ),
            rules.rows_hold(
                "orders_within_rows",
                "No more orders than rows.",
                "order_count <= row_count",
                severity="warn",
                remedy=REBUILD,
            ),
        ],
    )

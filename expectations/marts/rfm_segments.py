"""Customers who ordered, scored and put in segments."""

import great_expectations as gx

from expectations import shop
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("customer_id",)
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"
COVERS = """select count(*) from (
        select distinct customer_id from marts.fact_orders where sale_line_count > 0 and not is_deleted and customer_key <> 'unknown'
    ) as o full outer join {batch} as s on o.customer_id = s.customer_id
    where o.customer_id is null or s.customer_id is null"""
NOT_ORDERED = """select customer_id from {batch} where customer_id not in (select customer_id from marts.fact_orders where
    sale_line_count > 0 and not is_deleted and customer_key <> 'unknown')"""


def rows(context: SuiteContext) -> str:
    """The table, with how many are in the customer's segment."""
    return "select *, count(*) over (partition by segment) as in_segment from marts.rfm_segments"


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.rfm_segments",
        expectations=[
            *rules.query_value(
                "covers_who_ordered",
                "Exactly the customers with an order are in a segment.",
                COVERS,
                block=(0, 0),
                remedy=REBUILD,
                bad_rows=NOT_ORDERED,
            ),
            rules.rows_hold(
                "scores_are_fifths",
                "Scores are 1 to 5.",
                "recency_score between 1 and 5 and frequency_score between 1 and 5 and monetary_score between 1 and 5",
                remedy=REBUILD,
            ),
            rules.rows_hold(
                "segments_known",
                "Segments are those that docs/sales.md lists.",
                "segment in ('champions', 'loyal', 'cannot lose', 'at risk', 'new', 'promising', 'about to sleep', 'lost', 'need attention')",
                remedy="add the segment here and to docs/sales.md",
            ),
            *rules.measure(
                "biggest_segment",
                "No segment holds nearly everyone: then the scores say nothing.",
                "cast(max(in_segment) as double) / nullif(sum(1), 0)",
                warn=(None, 0.8),
                remedy="look at the thresholds: most customers may have ordered once, on the same day",
            ),
            *shop.of_newest_day(context, severity="block"),
        ],
    )

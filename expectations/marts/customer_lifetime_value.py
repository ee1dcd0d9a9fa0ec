"""What customers are worth."""

import great_expectations as gx

from expectations import shop
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("customer_id",)
REDO = "run the flow again; a difference is a fault of regulars.science"
COVERS = """select case when min(v.as_of) = min(s.as_of) then count(*) - count(case when v.customer_id = s.customer_id then 1 end) end
    from {batch} as v full outer join marts.rfm_segments as s on v.customer_id = s.customer_id"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.customer_lifetime_value",
        expectations=[
            rules.rows_hold(
                "alive_is_a_probability",
                "The probability to be alive lies between 0 and 1.",
                "probability_alive between 0 and 1",
                remedy=REDO,
            ),
            rules.rows_hold(
                "nothing_negative",
                "No expected purchase or amount is below 0.",
                "coalesce(expected_purchase_count, 0) >= 0 and coalesce(expected_purchase_amount, 0) >= 0 and coalesce(lifetime_amount, 0) >= 0",
                remedy=REDO,
            ),
            rules.rows_hold(
                "value_where_estimated",
                "Who is estimated has a value, and nobody else.",
                "(status = 'estimated') = (lifetime_amount is not null)",
                remedy=REDO,
            ),
            *rules.query_value(
                "covers_who_bought",
                "Exactly the customers with an order are valued.",
                COVERS,
                block=(0, 0),
                remedy=REDO,
            ),
            *shop.of_newest_day(context),
        ],
    )

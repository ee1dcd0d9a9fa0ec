"""The customers with the greatest net amount."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("customer_rank", "customer_id")
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"
OVERTAKEN = """select later.customer_rank, later.customer_id from {batch} as earlier inner join {batch} as later on
    later.customer_rank = earlier.customer_rank + 1 where later.net_amount > earlier.net_amount"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.top_customers",
        expectations=[
            rules.no_rows(
                "greatest_first",
                "A better rank has no smaller amount.",
                OVERTAKEN,
                remedy=REBUILD,
            ),
            *rules.query_value(
                "ranks_whole",
                "Ranks count up from 1.",
                "select max(customer_rank) - count(*) from {batch}",
                block=(0, 0),
                remedy=REBUILD,
            ),
            *rules.share(
                "biggest_customer",
                "No customer is half of all sales.",
                "net_share > 0.5",
                min_rows=1,
                warn=(None, 0),
                remedy="look at the customer's orders: a till or a marketplace may be booked as one customer",
            ),
        ],
    )

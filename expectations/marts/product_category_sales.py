"""Sales by month and category."""

import great_expectations as gx

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("month_starts_on", "category_id")
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"
AMOUNT = "case when line_type = 'sale' then coalesce(total_amount, round(quantity * unit_price, 2), 0) else 0 end"
LINES = "case when line_type <> 'removed' then 1 else 0 end"
SAME_SUMS = f"""select abs(m.line_count - l.line_count) + abs(m.gross_amount - l.gross_amount)
    from (select cast(sum(line_count) as bigint) as line_count, cast(sum(gross_amount) as decimal(18,2)) as gross_amount from {{batch}}) as m
    cross join (
        select cast(sum({LINES}) as bigint) as line_count, cast(sum({AMOUNT}) as decimal(18,2)) as gross_amount
        from marts.fact_order_items where ordered_on is not null and product_key <> 'unknown'
    ) as l"""
ODD_SHARES = """select month_starts_on, sum(net_share) as shares from {batch} group by month_starts_on having
    abs(sum(net_share) - 1) > 0.000001 * count(*) and sum(abs(net_amount)) > 0"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.product_category_sales",
        expectations=[
            *rules.query_value(
                "adds_up_to_lines",
                "Months add up to the lines of known products.",
                SAME_SUMS,
                block=(0, 0),
                remedy=REBUILD,
            ),
            rules.no_rows(
                "shares_add_up",
                "The shares of a month are all of it.",
                ODD_SHARES,
                remedy=REBUILD,
            ),
            *rules.share(
                "categories_named",
                "Most categories have a name.",
                "category_name is null and category_id <> 'none'",
                min_rows=1,
                warn=(None, 0.5),
                remedy="check that categories was delivered whole",
            ),
        ],
    )

"""Sales to come."""

import great_expectations as gx

from expectations import shop
from regulars.quality import rules
from regulars.quality.suites import SuiteContext

KEYS = ("series", "forecast_on")
REDO = "run the flow again; a difference is a fault of regulars.science"
LEVEL = """select avg(f.forecast_amount) / nullif((
        select cast(avg(net_amount) as double) from marts.daily_sales where ordered_on between f_as_of - 55 and f_as_of
    ), 0)
    from (select *, max(as_of) over () as f_as_of from {batch}) as f where f.series = 'total' group by f_as_of"""
HOLES = """select series, count(*) as days from {batch} group by series having min(forecast_on) <> max(as_of) + 1 or
    max(forecast_on) - min(forecast_on) + 1 <> count(*) or count(*) <> (select max(days) from (select count(*) as
    days from {batch} group by series) as longest)"""


def build(context: SuiteContext) -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        name="marts.sales_forecast",
        expectations=[
            rules.rows_hold(
                "intervals_in_order",
                "The wider interval holds the narrower one, and that the forecast.",
                "lower_95 <= lower_80 and lower_80 <= forecast_amount and forecast_amount <= upper_80 and upper_80 <= upper_95",
                remedy=REDO,
            ),
            rules.rows_hold("nothing_negative", "No forecast and no bound is below 0.", "lower_95 >= 0", remedy=REDO),
            rules.no_rows(
                "days_whole",
                "Each series is forecast for every day from the one after as_of on.",
                HOLES,
                remedy=REDO,
            ),
            *rules.query_value(
                "level_holds",
                "The forecast total is near that of the days before.",
                LEVEL,
                warn=(0.2, 5),
                remedy="look at daily_sales: a few odd days, or a season, may pull the forecast; `daily_total` findings name them",
            ),
            *shop.of_newest_day(context),
        ],
    )

"""Rules that suites of the shop share."""

from typing import Any

from regulars.quality import rules
from regulars.quality.checks import Severity
from regulars.quality.suites import SuiteContext

TABLES = ("customers", "products", "categories", "orders", "order_items")


def newest_change(context: SuiteContext, *, days: int = 8) -> list[Any]:
    """Something changed lately: a source whose clock or export stands still is noticed. A shop may be closed on the day itself."""
    return rules.query_value(
        "newest_change",
        f"The newest change lies within {days} days of the business day.",
        f"select date '{context.as_of}' - cast(max(updated_at) as date) from {{batch}}",
        remedy="ask whether the shop was closed; else its export, or the clock that stamps changes, stands still",
        warn=(None, days),
    )


def of_newest_day(context: SuiteContext, *, severity: Severity = "warn") -> list[Any]:
    """The table stands for the newest day of the shop that landed, and not for an earlier one."""
    newest = max((context.visible[name].as_of for name in TABLES if name in context.visible), default=context.as_of)
    return [
        rules.rows_hold(
            "is_of_the_day",
            "The table stands for the newest landed day.",
            f"as_of = date '{newest}'",
            severity=severity,
            remedy="run the flow again, with science where it was left out",
        )
    ]

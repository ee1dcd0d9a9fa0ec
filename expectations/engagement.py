"""Rules that suites of client engagement share."""

from typing import Any

from regulars.quality import rules
from regulars.quality.suites import SuiteContext

TABLES = ("customer_engagement", "dim_project")
REBUILD = "run again with rebuild=true and compare; a difference is a fault of the models"


def of_newest_landing(context: SuiteContext) -> Any:
    """The table stands for the newest day on which the sheet or the projects landed."""
    newest = max((context.visible[name].as_of for name in TABLES if name in context.visible), default=context.as_of)
    return rules.rows_hold(
        "is_of_the_day",
        "The table stands for the newest landed day.",
        f"as_of = date '{newest}'",
        remedy="run the flow again",
    )

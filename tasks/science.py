"""Compute what the shop's marts cannot say by counting, for models of stage `insights` to build on."""

from __future__ import annotations

from importlib import import_module

from prefect import task

from regulars.run_days import landed_days
from regulars.stages import Stage
from tasks.context import RunContext
from tasks.retry import TASK


def require_science() -> None:
    """Raise ConfigError, before a run has begun, where the installation cannot compute at its end."""
    import_module("regulars.science")


@task(name="science", task_run_name="science {context.run.as_of}", timeout_seconds=2 * 3600, **TASK)
def compute_insights(context: RunContext, stage: Stage) -> None:
    """Forecast sales, value customers and flag unusual ones, as of the newest landed day of the stage."""
    from regulars.insights import flag_customers, forecast_categories, value_customers

    days = landed_days(context.warehouse, stage)
    if not days:
        return
    warehouse, as_of, settings = context.warehouse, days[-1], context.settings
    with context.step("science", "sales_forecast") as facts:
        series = forecast_categories(warehouse, as_of, settings).series.column("status").to_pylist()
        facts.update(series=len(series), short_history=series.count("short_history"))
    with context.step("science", "customer_lifetime_value") as facts:
        valued = value_customers(warehouse, as_of, settings)
        facts.update(customers=len(valued.customers), purchases=valued.purchases.status, spend=valued.spend.status)
    with context.step("science", "unusual_customers") as facts:
        flagged = flag_customers(warehouse, as_of, settings)
        facts.update(customers=len(flagged.customers), judged=flagged.status)

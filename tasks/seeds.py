"""Seeds stand for tables that a company has already; only the demo makes them."""

from __future__ import annotations

from datetime import date

from regulars.contracts import read_contracts
from regulars.dbt_project import build_environment, raise_if_failed, read_results, seed_arguments
from regulars.run_days import BuildDays
from regulars.settings import Settings
from regulars.warehouse import open_warehouse
from tasks.dbt_calls import call_dbt


def seed_projects(settings: Settings) -> None:
    """Make `reference.dim_project` in the warehouse, as the seed has it. Raises BuildError."""
    days = BuildDays(date.min, date.min)
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(read_contracts(settings.dbt_project_dir / "models" / "staging"))
        target = settings.home_dir / "dbt" / "seed"
        environment = warehouse.dbt_environment() | build_environment(settings, days)
        outcome = call_dbt(
            settings.dbt_project_dir, target, seed_arguments(settings, target, "dim_project"), environment
        )
        raise_if_failed(read_results(outcome, days))

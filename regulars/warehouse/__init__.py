"""The warehouse behind one protocol: `open_warehouse` gives the engine that the settings name."""

from __future__ import annotations

from regulars.errors import ConfigError
from regulars.settings import Settings
from regulars.warehouse.base import Warehouse
from regulars.warehouse.duckdb import DuckDBWarehouse

__all__ = ["Warehouse", "open_warehouse"]


def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse of these settings, not yet opened: use it in a `with` block."""
    if settings.warehouse == "duckdb":
        return DuckDBWarehouse(settings)
    raise ConfigError(f"REGULARS_WAREHOUSE={settings.warehouse} is not available yet", remedy="set it to duckdb")

"""The warehouse behind one protocol: `open_warehouse` gives the engine that the settings name."""

from __future__ import annotations

import warnings

from regulars.errors import ConfigError
from regulars.run import Run
from regulars.settings import Settings
from regulars.warehouse.base import Warehouse
from regulars.warehouse.duckdb import DuckDBWarehouse

__all__ = ["Warehouse", "open_warehouse"]


def open_warehouse(settings: Settings, run: Run | None = None) -> Warehouse:
    """The warehouse of these settings, not yet opened: use it in a `with` block. An engine may tag its work with `run`.

    Raises ConfigError where the engine's client libraries are not installed.
    """
    if settings.warehouse == "duckdb":
        return DuckDBWarehouse(settings)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the connector warns of versions of packages that it does not use
            from regulars.warehouse.snowflake import SnowflakeWarehouse  # only who uses it installs its client
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the warehouse is snowflake, and {error.name} is not installed",
            remedy="install the project with its extra: pip install 'regulars[snowflake]'",
        ) from None

    return SnowflakeWarehouse(settings, run)

"""Extracts for Tableau (`.hyper`), made of a Parquet file by Tableau's own engine; the extra `hyper` brings it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from regulars.errors import ConfigError, EngineError

# The name that Tableau gives the one table of an extract.
SCHEMA = TABLE = "Extract"
# Version 3 of the format (Tableau 2022.4 and later) is the first with decimals of more than 18 digits.
PARAMETERS = {"log_config": "", "default_database_version": "3"}


def require_hyper() -> None:
    """Raises ConfigError where the library is not installed."""
    if importlib.util.find_spec("tableauhyperapi") is None:
        raise ConfigError(
            "exports as .hyper need the extra `hyper`",
            remedy="pip install --constraint constraints.txt --editable '.[hyper]'",
        )


def write_hyper(parquet: Path, path: Path) -> None:
    """Write the rows of a Parquet file as the table "Extract"."Extract" of a new extract; types are those of the file.

    Nothing is sent to Tableau, and no log is written. Raises EngineError, which repeats no value.
    """
    import tableauhyperapi as hyper

    place, source = hyper.TableName(SCHEMA, TABLE), hyper.escape_string_literal(str(parquet))
    try:
        with (
            hyper.HyperProcess(
                hyper.Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, "regulars", None, PARAMETERS
            ) as process,
            hyper.Connection(process.endpoint, str(path), hyper.CreateMode.CREATE_AND_REPLACE) as connection,
        ):
            connection.catalog.create_schema(SCHEMA)
            connection.execute_command(f"create table {place} as select * from external({source}, format => 'parquet')")
    except hyper.HyperException as error:
        raise EngineError(
            f"writing {path.name}: the Hyper engine stopped (context {error.context_id})",
            remedy="free memory or disk; an export as parquet tells whether the rows can be read",
        ) from None

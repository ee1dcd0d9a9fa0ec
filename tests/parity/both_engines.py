"""The weekly refresh on DuckDB and on Snowflake, one after the other, on the same input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from comparison import differences
from test_warehouse import plain

from regulars.settings import load_settings
from regulars.snowflake_settings import SnowflakeSettings
from regulars.warehouse import open_warehouse


@contextmanager
def refreshed_on_both(
    folder: Path, sources: Path, access: SnowflakeSettings, refresh: Callable[[], object]
) -> Iterator[tuple[Any, Any]]:
    """Run `refresh` with the sources of one `sources.yml` on each engine; both warehouses, which hold the same."""
    settings = {}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REGULARS_PSEUDONYM_KEY", "test-key")
        environment.setenv("REGULARS_SOURCES", str(sources))
        for name, value in access.model_dump(exclude_defaults=True).items():
            environment.setenv(f"REGULARS_SNOWFLAKE__{name.upper()}", plain(value))
        for engine in ("duckdb", "snowflake"):
            environment.setenv("REGULARS_WAREHOUSE", engine)
            environment.setenv("REGULARS_HOME", str(folder / engine))
            settings[engine] = load_settings()
            refresh()
    with open_warehouse(settings["duckdb"]) as here, open_warehouse(settings["snowflake"]) as there:
        found = differences((here, settings["duckdb"]), (there, settings["snowflake"]))
        assert not found, "\n".join(found)
        yield here, there

"""Fixtures of the dbt tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.dbt.landings import Warehouse


@pytest.fixture
def new_warehouse(tmp_path: Path) -> Iterator[Callable[[], Warehouse]]:
    """Makes empty warehouses, each in a folder of its own."""
    made: list[Warehouse] = []

    def make() -> Warehouse:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Warehouse(folder / "warehouse.duckdb"))
        return made[-1]

    yield make
    for warehouse in made:
        warehouse.close()

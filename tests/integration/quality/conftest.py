"""A healthy warehouse, made once; each test gets a copy to break."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from regulars.settings import Settings

sys.path.insert(0, str(Path(__file__).parent))  # for the modules beside the tests

from small_warehouse import make_warehouse


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_warehouse(tmp_path_factory.mktemp("healthy"))


@pytest.fixture
def settings(healthy: Settings, tmp_path: Path) -> Settings:
    shutil.copy(healthy.warehouse_path, tmp_path / healthy.warehouse_path.name)
    return healthy.model_copy(update={"home": tmp_path})

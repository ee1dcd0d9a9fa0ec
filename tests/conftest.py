"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from regulars.settings import Settings

# Read when Prefect is imported: what its logs say of every task would only be captured and thrown away.
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")

# Files that take longest begin first, so that two processes end at about the same time.
LONGEST = (
    "flows/test_daily",
    "integration/dbt",
    "integration/demo",
    "flows/test_stopped",
    "integration/deployment",
    "integration/quality",
)

# Machines differ in speed: properties are about results, never about time.
hypothesis.settings.register_profile("regulars", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("regulars")

DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty home with a known pseudonym key."""
    return Settings(_env_file=None, home=tmp_path / "home", pseudonym_key="test-key", lock_timeout_seconds=2)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """One Prefect server with a database of its own for all tests of this process."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Real data beside the checkout; tests that use it carry the marker real_data."""
    if not DATASETS.is_dir():
        pytest.skip("../shared/datasets is absent: real data does not ship with the project")
    return DATASETS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        return next((number for number, part in enumerate(LONGEST) if part in item.path.as_posix()), len(LONGEST))

    items.sort(key=rank)

"""Fixtures that every part of the suite shares."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

from regulars.settings import Settings

# Machines differ in speed: properties are about results, never about time.
hypothesis.settings.register_profile("regulars", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("regulars")

DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty home with a known pseudonym key."""
    return Settings(_env_file=None, home=tmp_path / "home", pseudonym_key="test-key", lock_timeout_seconds=2)


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Real data beside the checkout; tests that use it carry the marker real_data."""
    if not DATASETS.is_dir():
        pytest.skip("../shared/datasets is absent: real data does not ship with the project")
    return DATASETS

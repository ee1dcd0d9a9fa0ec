"""Small worlds of CSV files that flows are run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from chaos.fingerprint import differences, fingerprint, repeated_batches, unbalanced_batches
from regulars.sample.spec import SampleSpec
from regulars.sample.tables import TABLES
from regulars.sample.write import write_sample

SPEC = SampleSpec(users=500, days=4, seed=11, start=date(2026, 1, 5))
DAYS = SPEC.all_days()


@pytest.fixture(scope="session")
def sample_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four days of the thirteen sources as CSV files, faults and all."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(SPEC, folder)
    return folder


@pytest.fixture
def world(
    prefect_server: None, sample_files: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[str], Path]:
    """Make a home of its own current: `world("name")` gives its folder, and flows that run next belong to it."""
    sources = {
        "connections": {"files": {"kind": "files", "path": str(sample_files)}},
        "tables": {table: {"from": "files", "path": f"{table}/{{as_of}}.csv"} for table in TABLES},
    }
    (tmp_path / "sources.yml").write_text(yaml.safe_dump(sources))
    monkeypatch.setenv("REGULARS_SOURCES", str(tmp_path / "sources.yml"))
    monkeypatch.setenv("REGULARS_PSEUDONYM_KEY", "test-key")

    def enter(name: str) -> Path:
        home = tmp_path / name
        monkeypatch.setenv("REGULARS_HOME", str(home))
        return home

    return enter


@contextmanager
def opened(home: Path) -> Iterator[Any]:
    from regulars.settings import Settings
    from regulars.warehouse import open_warehouse

    with open_warehouse(Settings(_env_file=None, home=home, pseudonym_key="test-key")) as warehouse:
        yield warehouse


@pytest.fixture
def flow_tools() -> tuple[Any, ...]:
    """`opened(home)`, `fingerprint`, `differences`, `unbalanced`; tests are no package to import from."""

    def unbalanced(warehouse: Any) -> list[tuple[Any, ...]]:
        return [*unbalanced_batches(warehouse), *repeated_batches(warehouse)]

    return opened, fingerprint, differences, unbalanced

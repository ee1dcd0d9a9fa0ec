"""A small shop with planted faults, big enough for every model of science, and where it is read from."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from regulars.sample.shop import ShopSpec
from regulars.sample.shop.load import TABLES

SHOP = ShopSpec(customers=150, products=24, orders_per_day=25, weeks=10, start=date(2025, 10, 6))
AS_OF = SHOP.evenings[2]


def enter(home: Path, environment: pytest.MonkeyPatch) -> None:
    """Make `home` the current one, with the embedded PostgreSQL beside it as the source."""
    home.mkdir(parents=True, exist_ok=True)
    document = {
        "connections": {"shop": {"kind": "postgres", "url": "embedded:shop", "options": {"one_snapshot": True}}},
        "tables": {table: {"from": "shop", "table": f"public.{table}"} for table in TABLES},
    }
    (home / "sources.yml").write_text(yaml.safe_dump(document))
    environment.setenv("REGULARS_HOME", str(home))
    environment.setenv("REGULARS_SOURCES", str(home / "sources.yml"))
    environment.setenv("REGULARS_PSEUDONYM_KEY", "test-key")
    environment.setenv("REGULARS_SCIENCE__CATEGORIES", "2")  # and the other ten together

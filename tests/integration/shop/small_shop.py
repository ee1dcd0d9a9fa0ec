"""A small shop whose weeks are run through the real flow, from an embedded PostgreSQL."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from regulars.postgres.server import start_server
from regulars.sample.shop import ShopSpec, load_evening
from regulars.sample.shop.load import TABLES

SPEC = ShopSpec(customers=200, products=24, orders_per_day=24, weeks=12, faults=False)
AS_OF = SPEC.evenings[1]


class SmallShop:
    """One home. `run_week` plays an evening and runs the weekly flow for it."""

    def __init__(self, home: Path, patch: pytest.MonkeyPatch) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        sources = {
            "connections": {"shop": {"kind": "postgres", "url": "embedded:shop"}},
            "tables": {table: {"from": "shop", "table": f"public.{table}"} for table in TABLES},
        }
        (home / "sources.yml").write_text(yaml.safe_dump(sources))
        patch.setenv("REGULARS_HOME", str(home))
        patch.setenv("REGULARS_SOURCES", str(home / "sources.yml"))
        patch.setenv("REGULARS_PSEUDONYM_KEY", "test-key")
        patch.setenv("REGULARS_SCIENCE__CATEGORIES", "2")  # and the other ten together

    def run_week(self, number: int, **parameters: Any) -> Any:
        from flows.sales import weekly_customer_analytics

        day: date = SPEC.evenings[number]
        load_evening(SPEC, day, start_server(self.home).uri())
        if number == 0:
            parameters["since"] = SPEC.start
        return weekly_customer_analytics(as_of=day, **parameters)

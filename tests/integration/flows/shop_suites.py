"""The suites of the shop over a warehouse that its models made."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from regulars.contracts import read_contracts
from regulars.quality.checks import GateResult
from regulars.quality.gates import run_gate
from regulars.quality.suites import list_suites
from regulars.run import Run
from regulars.settings import PROJECT_DIR, Settings
from regulars.stages import read_stages
from tests.integration.flows.small_shop import AS_OF, SHOP

CONTRACTS = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")
STAGE = read_stages(PROJECT_DIR / "dbt" / "warehouse", CONTRACTS)["insights"]
SUITES = {
    layer: [name for name in list_suites(layer) if name in {*STAGE.tables, *STAGE.shown_models}]
    for layer in ("raw", "marts")
}


def breakable_copy(home: Path, folder: Path) -> Settings:
    """A copy of a home's warehouse, with tables where it has views of files, so that they can be broken."""
    settings = Settings(_env_file=None, home=folder, pseudonym_key="test-key")
    shutil.copy(home / "warehouse.duckdb", settings.warehouse_path)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for table in STAGE.tables:
            connection.execute(f"create table raw.kept as select * from raw.{table}")
            connection.execute(f"drop view raw.{table}")
            connection.execute(f"alter table raw.kept rename to {table}")
        for table in ("customers", "categories", "products"):  # few of them changed on the day: let all have changed
            batch = (
                f"(select batch_id from ops.effective_batches where table_name = '{table}' and as_of = date '{AS_OF}')"
            )
            connection.execute(f"delete from raw.{table} where _as_of = date '{AS_OF}'")
            connection.execute(
                f"insert into raw.{table} select * replace (date '{AS_OF}' as _as_of, {batch} as _batch_id) from raw.{table} "
                f"where _as_of = date '{SHOP.evenings[0]}'"
            )
    return settings


def judge(settings: Settings, layer: Any, tables: list[str]) -> GateResult:
    run = Run("run-1", "weekly-customer-analytics", AS_OF, datetime(2026, 1, 1))
    return run_gate(layer, tables, settings=settings, run=run, contracts=CONTRACTS)

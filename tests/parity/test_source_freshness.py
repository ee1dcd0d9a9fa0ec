"""`dbt source freshness` gives the verdicts of `ops.freshness` on both engines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from regulars.contracts import read_contracts
from regulars.freshness import freshness_on
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources, TableSource
from regulars.warehouse import open_warehouse

pytestmark = pytest.mark.parity
DAY = date(2026, 2, 1)
AGES = {"orders": 0, "order_items": 8, "customers": 9, "products": 25}  # limits: 8 and 15, 8 and 21
WANTED = {"orders": "pass", "order_items": "pass", "customers": "warn", "products": "error", "categories": "error"}


def test_verdicts_are_those_of_the_records(either: Settings, tmp_path: Path) -> None:
    contracts = read_contracts(either.dbt_project_dir / "models" / "staging")
    tables = {table: TableSource.model_validate({"from": "files", "path": "x"}) for table in WANTED}
    sources = Sources(connections={"files": Connection(kind="files", path=".")}, tables=tables)
    with open_warehouse(either) as warehouse:
        warehouse.prepare(contracts)
        loaded = [
            {"table_name": table, "as_of": DAY - timedelta(days=age), "revision": 1, "scope": "full", "batch_id": table, "status": "loaded"}
            for table, age in AGES.items()
        ]  # fmt: skip
        warehouse.record("ingestion_logs", loaded)
        found = freshness_on(warehouse, contracts, sources, DAY)
        rows = [one.row(datetime(2026, 2, 2)) for one in found]
        warehouse.replace_records("freshness", ["table_name", "as_of"], rows)
        environment = os.environ | warehouse.dbt_environment() | {"REGULARS_AS_OF": str(DAY)}
    project, dbt = either.dbt_project_dir, Path(sys.executable).with_name("dbt")
    places = ["--project-dir", project, "--profiles-dir", project, "--target-path", tmp_path, "--log-path", tmp_path]
    command = [dbt, "source", "freshness", "--target", either.warehouse, *places]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1, done.stdout[-3000:]
    results = json.loads((tmp_path / "sources.json").read_text())["results"]
    theirs = {one["unique_id"].split(".")[-1]: one.get("status") for one in results}
    late = {one.table_name for one in found if one.is_late}
    assert {table: theirs[table].replace("runtime error", "error") for table in WANTED} == WANTED
    assert (
        {table for table, status in theirs.items() if status != "pass"}
        == late
        == {"customers", "products", "categories"}
    )

"""Client engagement on both engines: the seed that stands for DIM_PROJECT, kind `warehouse`, the models and their gates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import yaml
from both_engines import refreshed_on_both
from prefect import flow

from flows.ingest import land_and_load
from flows.transform import build_and_publish
from regulars.contracts import read_contracts
from regulars.settings import Settings, load_settings
from regulars.snowflake_settings import SnowflakeSettings
from regulars.warehouse import open_warehouse
from tasks.context import open_context
from tasks.gate import check_raw, data_docs
from tasks.writing import writing
from tests.integration.dbt.engagement_worlds import EngagementWorld

pytestmark = [pytest.mark.parity, pytest.mark.timeout(1500)]
# What the project office does to its table between the days, with SQL of its own.
CHANGES = [
    "insert into reference.dim_project (project_code, project_name, started_on, ended_on) values ('P1', 'One', '2025-05-31', '2025-09-01')",
    "insert into reference.dim_project (project_code, project_name, region) values ('P2', 'It''s \\ two', 'north')",
    "delete from reference.dim_project where project_code = 'P1'",
]


@flow(name="engagement-parity")
def refresh_engagement(as_of: date) -> None:
    """One day: landed, loaded, judged, built, judged and published."""
    context = open_context("engagement-parity", as_of, stage="engagement")
    with writing(context), data_docs(context) as docs:
        land_and_load(context, False, ["customer_engagement"])
        check_raw(context, docs, True)
        build_and_publish(context, context.stages["engagement"], docs, False, True)


def seed(settings: Settings, target: Path) -> None:
    """Make the table of projects as the demo does."""
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(read_contracts(settings.dbt_project_dir / "models" / "staging"))
        environment = os.environ | warehouse.dbt_environment()
    project, dbt = settings.dbt_project_dir, Path(sys.executable).with_name("dbt")
    places = ["--project-dir", project, "--profiles-dir", project, "--target-path", target, "--log-path", target]
    command = [dbt, "seed", "--select", "dim_project", "--target", settings.warehouse, *places]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_three_days_end_in_the_same_tables(
    prefect_server: None, tmp_path: Path, snowflake_access: SnowflakeSettings
) -> None:
    world = EngagementWorld(3, days=3)
    for day in world.days:
        path = tmp_path / "sheets" / f"{day}.ndjson"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(json.dumps(row, default=str) for row in world.told()))
    sources = {
        "connections": {"dw": {"kind": "warehouse"}, "sheets": {"kind": "files", "path": str(path.parent)}},
        "tables": {
            "customer_engagement": {"from": "sheets", "path": "{as_of}.ndjson"},
            "dim_project": {"from": "dw", "table": "reference.dim_project"},
        },
    }
    (tmp_path / "sources.yml").write_text(yaml.safe_dump(sources))

    def refresh() -> None:
        settings = load_settings()
        seed(settings, tmp_path / f"seed-{settings.warehouse}")
        for day, change in zip(world.days, CHANGES, strict=True):
            with open_warehouse(settings) as warehouse:
                warehouse.execute(change.replace("\\", "\\\\") if settings.warehouse == "snowflake" else change)
            refresh_engagement(day)

    with refreshed_on_both(tmp_path, tmp_path / "sources.yml", snowflake_access, refresh) as (here, there):
        found = "select project_name, started_on, budget_amount from reference.dim_project where project_code in ('P-001', 'P2') order by 1"
        assert here.query(found) == there.query(found)
        ((rows, matched),) = there.query(
            "select count(*), count(case when is_matched then 1 end) from marts.customer_engagement_summary"
        )
        assert 0 < matched < rows
        assert len(there.query("select * from marts.engagement_unmatched_rows")) > 1

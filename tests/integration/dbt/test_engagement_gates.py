"""The suites of client engagement, over what the library landed and dbt built: quiet where all is well, and each rule fails once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from regulars.landing import land
from regulars.quality.checks import GateResult
from regulars.quality.gates import run_gate
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources, TableSource
from regulars.warehouse import open_warehouse
from tests.integration.dbt.dbt_calls import invoke_dbt, run_dbt
from tests.integration.dbt.landings import ALL_CONTRACTS, ENGAGEMENT, STAGES

DAYS = [date(2026, 1, 5) + timedelta(days=n) for n in range(4)]
TABLES = STAGES["engagement"].tables
TODAY = f"_as_of = date '{DAYS[-1]}'"
MARTS = ("customer_engagement_monthly", "customer_engagement_summary", "engagement_unmatched_rows")
QUARANTINE = {"quarantine_share", "quarantine_share_watch"}
VERSIONS = {"keys_with_versions", "keys_with_versions_watch"}
SHOW = "update ops.ingestion_logs set rows_read = 900, rows_quarantined = 300"
# (layer, table, statements, rules that fail then)
BREAKS = [
    ("raw", "customer_engagement", [SHOW, f"""update raw.customer_engagement set period_starts_on = '2026-03-02', client_name = null, engagement_level = null,
        session_count = null, spend_amount = -1, last_contact_on = '2026-01-01', client_id = 'c', project_code = 'p' where {TODAY}"""],
     {"months_begin_on_the_first", "months_have_begun", "contact_within_month", "spend_not_negative", "engagement_level_filled",
      "session_count_filled", "client_name_filled", *QUARANTINE, *VERSIONS}),
    ("raw", "customer_engagement", [f"delete from raw.customer_engagement where {TODAY} and project_code > 'P-003'"], {"row_count"}),
    ("raw", "dim_project", [SHOW, f"""update raw.dim_project set currency_code = 'eur', ended_on = started_on - 1,
        project_code = case when project_code < 'P-005' then 'P-001' when project_code < 'P-010' then 'p-001' else project_code end where {TODAY}"""],
     {"codes_differ", "ends_after_start", "currency_is_iso", *QUARANTINE, *VERSIONS}),
    ("raw", "dim_project", [f"delete from raw.dim_project where {TODAY} and project_code > 'P-010'"], {"row_count"}),
    ("marts", MARTS[0], [f"delete from marts.{MARTS[0]} where client_id = 'c1'", f"update marts.{MARTS[0]} set level_change = 'first', session_count_to_date = 0"],
     {"every_row_of_the_sheet", "one_first_level", "totals_hold_the_month"}),
    ("marts", MARTS[1], [f"delete from marts.{MARTS[1]} where client_id = 'c1'", f"""update marts.{MARTS[1]} set as_of = as_of - 1, is_matched = false,
        is_lapsed = is_active, last_month_on = first_month_on - 1"""],
     {"is_of_the_day", "adds_up_to_months", "every_client_and_project", "active_or_lapsed", "dates_in_order", "unknown_projects", "unknown_projects_watch"}),
    ("marts", MARTS[2], [f"update marts.{MARTS[2]} set row_count = 60"], {"counts_what_is_listed", "unmatched_share"}),
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Four days of a sheet and of the seed that stands for DIM_PROJECT: landed, loaded and built."""
    folder = tmp_path_factory.mktemp("engagement")
    settings = Settings(_env_file=None, home=folder / "home", pseudonym_key="test-key")
    rows = [
        {
            "client_id": f"c{client}", "client_name": f"Client {client}", "project_code": code, "period_starts_on": f"2025-{month}-01",
            "engagement_level": ["low", "high"][month % 2], "session_count": client, "spend_amount": "9.99", "last_contact_on": f"2025-{month}-05",
            "status": "active", "channel": "email", "row_digest": client,
        }
        for client in range(12) for code in ("P-001", "P-002", "P-035" if client == 3 else "P-004") for month in (10, 11, 12)
    ]  # fmt: skip
    (folder / "sheet.ndjson").write_text("\n".join(map(json.dumps, rows)))
    connections = {"dw": Connection(kind="warehouse"), "files": Connection(kind="files", path=str(folder))}
    entries = {
        "customer_engagement": {"from": "files", "path": "sheet.ndjson"},
        "dim_project": {"from": "dw", "table": "reference.dim_project"},
    }
    sources = Sources(connections=connections, tables={name: TableSource.model_validate(entry) for name, entry in entries.items()})
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(ALL_CONTRACTS)
        assert invoke_dbt(settings.warehouse_path, None, None, "seed", ("--select", "dim_project")).success
        for day in DAYS:
            run = Run("run", "test", day, datetime(2026, 2, 1))
            for table in TABLES:
                landed = land(ALL_CONTRACTS[table], sources, settings, run).manifest
                warehouse.load(ALL_CONTRACTS[table], [landed], run, datetime(2026, 2, 1))
        run_dbt(settings.warehouse_path, DAYS[-1], command="build", arguments=(*ENGAGEMENT, "--exclude-resource-type", "unit_test"))
    yield settings


def judge(settings: Settings, layer: str, tables: tuple[str, ...]) -> GateResult:
    run = Run("run-1", "customer-engagement", DAYS[-1], datetime(2026, 2, 1))
    return run_gate(layer, tables, settings=settings, run=run, contracts=ALL_CONTRACTS)  # type: ignore[arg-type]


def test_all_is_well(home: Settings) -> None:
    found = [*judge(home, "raw", TABLES).checks, *judge(home, "marts", MARTS).checks]
    assert {check.check_name: check.status for check in found if check.status != "passed"} == {}
    assert {(check.layer, check.table_name, check.check_name) for check in found} == {
        (layer, table, name) for layer, table, _, names in BREAKS for name in names
    }


@pytest.mark.parametrize(("layer", "table", "statements", "names"), BREAKS, ids=[f"{case[1]}-{len(case[3])}" for case in BREAKS])
def test_each_rule_fails(home: Settings, tmp_path: Path, layer: str, table: str, statements: list[str], names: set[str]) -> None:
    broken = home.model_copy(update={"home": tmp_path})
    shutil.copy(home.warehouse_path, broken.warehouse_path)
    with duckdb.connect(str(broken.warehouse_path)) as connection:
        for raw in TABLES:
            for statement in (f"create table raw.kept as select * from raw.{raw}", f"drop view raw.{raw}", f"alter table raw.kept rename to {raw}"):
                connection.execute(statement)
        for statement in statements:
            connection.execute(statement)
    found = {check.check_name for check in judge(broken, layer, (table,)).checks if check.status == "failed"}
    assert found >= names and (len(names) > 1 or found == names)

"""Results of science and detection: what is stored, and that models made from other results are made anew."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from regulars.build_state import build_state
from regulars.contracts import read_contracts
from regulars.ledger import OPS_TABLES
from regulars.result_tables import RESULT_TABLES
from regulars.results import store_result
from regulars.run_days import BuildDays
from regulars.settings import PROJECT_DIR, Settings
from regulars.stages import Stage, read_stages
from regulars.warehouse import open_warehouse

PROJECT = PROJECT_DIR / "dbt" / "warehouse"
CONTRACTS = read_contracts(PROJECT / "models" / "staging")
DAY = date(2026, 1, 4)


def fits(day: date, model: str, weeks: int = 52) -> pa.Table:
    row = {name: None for name, _ in RESULT_TABLES["lifetime_value_fits"]}
    return pa.Table.from_pylist([row | {"as_of": day, "model": model, "horizon_weeks": weeks}])


def test_results_replace_those_before_or_those_of_their_day(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(CONTRACTS)
        store_result(warehouse, settings, "lifetime_value_fits", fits(DAY, "a"))
        store_result(
            warehouse, settings, "lifetime_value_fits", fits(DAY.replace(day=11), "b"), of_day=DAY.replace(day=11)
        )
        store_result(
            warehouse, settings, "lifetime_value_fits", fits(DAY.replace(day=11), "c"), of_day=DAY.replace(day=11)
        )
        asked = "select as_of, model, horizon_weeks from ops.lifetime_value_fits order by 1"
        assert warehouse.query(asked) == [(DAY, "a", 52), (DAY.replace(day=11), "c", 52)]
        store_result(warehouse, settings, "lifetime_value_fits", fits(DAY, "d"))
        assert warehouse.query(asked) == [(DAY, "d", 52)]
        assert len(warehouse.query("select * from ops.stored_results")) == 1


def test_results_pass_through_a_folder_that_later_runs_clear(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill while they pass would leave them in the system's temporary folder for good, and they are about customers."""
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(CONTRACTS)
        passed: list[Path] = []
        read = warehouse.import_file
        monkeypatch.setattr(warehouse, "import_file", lambda path, *rest: (passed.append(path), read(path, *rest))[1])
        store_result(warehouse, settings, "lifetime_value_fits", fits(DAY, "a"))
    (path,) = passed
    assert path.is_relative_to(settings.home_dir / "spool") and not path.exists()


def test_other_results_make_other_marks_and_equal_ones_do_not(settings: Settings) -> None:
    stage = Stage("insights", ("orders",), (), (), results=("lifetime_value_fits",))
    before = Stage("sales", ("orders",), (), ())
    days = BuildDays(DAY, DAY)
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(CONTRACTS)
        marks = []
        for weeks in (52, 52, 26):
            store_result(warehouse, settings, "lifetime_value_fits", fits(DAY, "bg_nbd", weeks))
            marks.append([build_state(warehouse, settings, one, days, "").days for one in (stage, before)])
    assert marks[0] == marks[1] and marks[1][0] != marks[2][0] and marks[1][1] == marks[2][1]


def test_stages_name_the_results_that_their_models_read() -> None:
    stage = read_stages(PROJECT, CONTRACTS)["insights"]
    texts = " ".join(
        path.read_text() for folder in stage.folders for path in (PROJECT / "models" / folder).rglob("*.sql")
    )
    assert (
        set(stage.results)
        == set(RESULT_TABLES)
        == {table for table in OPS_TABLES if f"source('ops', '{table}')" in texts}
    )
    declared = {
        table["name"]: table
        for table in yaml.safe_load((PROJECT / "models/_ops.yml").read_text())["sources"][0]["tables"]
    }
    for table, columns in RESULT_TABLES.items():
        assert [(column["name"], column["data_type"]) for column in declared[table]["columns"]] == list(columns)

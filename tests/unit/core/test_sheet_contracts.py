"""Contracts of sheets: how columns are mapped and days are written, and what cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from regulars.contract_schema import sheet_schema
from regulars.contracts import read_contracts
from regulars.errors import ConfigError
from regulars.own_addresses import with_own_addresses
from regulars.settings import PROJECT_DIR, Settings
from regulars.sheet_contracts import SheetColumn, mapping_rules, read_sheet_contracts
from regulars.sources.config import read_sources

OPERATIONAL = PROJECT_DIR / "dbt" / "operational"


def sheet(tmp_path: Path, data_type: str = "varchar", **meta: Any) -> SheetColumn:
    column = {"name": "level", "data_type": data_type, "description": "Level.", "config": {"meta": meta}}
    table = {"name": "sheet", "description": "A sheet.", "columns": [column],
             "config": {"meta": {"mode": "snapshot", "key": ["level"], "owner": "ops"}}}  # fmt: skip
    (tmp_path / "_x__sources.yml").write_text(yaml.safe_dump({"sources": [{"name": "x", "tables": [table]}]}))
    [found] = read_contracts(tmp_path, SheetColumn)["sheet"].columns
    assert isinstance(found, SheetColumn)
    return found


def test_the_contract_of_the_project_is_read_and_checked_by_its_schema() -> None:
    contract = read_sheet_contracts(Settings(_env_file=None))["client_engagement_metrics"]
    rules = mapping_rules(contract)
    assert {name: rule.mapping for name, rule in rules.items()} == {
        "engagement_level": "words", "status": "words", "channel": "words", "session_count": "numbers", "spend_amount": "numbers",
    }  # fmt: skip
    kept = json.loads((OPERATIONAL / "contracts.schema.json").read_text())
    assert kept == json.loads(json.dumps(sheet_schema())), "python -m regulars.contract_schema writes it anew"
    [path] = (OPERATIONAL / "models").rglob("_*__sources.yml")
    assert list(Draft202012Validator(kept).iter_errors(yaml.safe_load(path.read_text()))) == []
    assert "contracts.schema.json" in path.read_text().splitlines()[0]


def test_rules_and_forms(tmp_path: Path) -> None:
    found = sheet(tmp_path, mapping="words", vocabulary=["low", "high"], required=True)
    assert found.rule and found.rule.vocabulary == ("low", "high") and found.required
    assert sheet(tmp_path, "date", forms=["%b %Y"]).forms == ("%b %Y",)
    assert sheet(tmp_path).rule is None


@pytest.mark.parametrize(
    ("data_type", "meta", "says"),
    [
        ("varchar", {"mapping": "words", "vocabulary": ["a"], "pii": "name"}, "it cannot be pii"),
        ("varchar", {"mapping": "numbers"}, "mapping numbers does not make a varchar"),
        ("bigint", {"mapping": "words", "vocabulary": ["a"]}, "mapping words does not make a bigint"),
        ("varchar", {"mapping": "words"}, "needs a vocabulary"),
        ("varchar", {"vocabulary": ["a"]}, "Field required"),
        ("date", {"forms": ["%d.%m.%y"]}, "other signs"),
        ("date", {"forms": ["%Y"]}, "needs %Y, and either %m or %b"),
        ("date", {"forms": ["%Y%m"]}, "is read as another day"),
        ("varchar", {"colour": "red"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_is_named_with_its_place(
    data_type: str, meta: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=rf"_x__sources\.yml: contract x\.sheet: .*{says}"):
        sheet(tmp_path, data_type, **meta)


def test_sheets_of_sources_yml(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path / "home", operational_url="postgresql://u:p@db.example.com/ops")
    sheets = read_sheet_contracts(settings)
    path = tmp_path / "sources.yml"

    def read(text: str, needed: set[str] | None = None) -> Any:
        path.write_text(text)
        return with_own_addresses(read_sources(path, {}, needed=needed, sheets=sheets), settings, needed)

    plain = 'connections:\n  a: {kind: sheet, path: "home:sheets"}\n  b: {kind: postgres, url: "operational:"}\ntables: {}\nsheets:\n'
    found = read(plain + "  client_engagement_metrics: {from: a, path: x.csv}\n")
    assert found.connections["a"].path == str(tmp_path / "home" / "sheets")
    assert found.connections["b"].url == "postgresql://u:p@db.example.com/ops"
    assert found.of_sheets.tables.keys() == {"client_engagement_metrics"}
    only = read(plain + "  client_engagement_metrics: {from: a, path: x.csv}\n", {"client_engagement_metrics"})
    assert only.connections["b"].url == "operational:", "nobody reads from it"
    for entry, says in {
        "nothing: {from: a}": r"sheets\.nothing: there is no contract",
        "client_engagement_metrics: {from: c}": r"sheets\.client_engagement_metrics\.from: no connection 'c'",
        "client_engagement_metrics: {from: a, columns: {x: y}}": r"sheets\.client_engagement_metrics\.columns: x not in",
    }.items():
        with pytest.raises(ConfigError, match=says):
            read(plain + f"  {entry}\n")

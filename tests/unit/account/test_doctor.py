"""`regulars doctor` on a laptop: everything fine in an empty home, and each fault by itself."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr

from regulars.contracts import read_contracts
from regulars.doctor import examine
from regulars.extras import MODULES, absent_modules
from regulars.settings import PROJECT_DIR, Settings
from regulars.warehouse import open_warehouse


def faults(settings: Settings) -> list[str]:
    return [f"{finding.what}: {finding.remedy}" for finding in examine(settings) if not finding.is_fine]


def test_an_empty_home_is_fine(settings: Settings) -> None:
    found = examine(settings)
    assert [finding for finding in found if not finding.is_fine] == []
    assert len(found) > 10
    assert not list(settings.home_dir.glob(".doctor*"))
    assert not list(settings.home_dir.rglob("_doctor/*"))


def test_a_key_that_others_can_read(settings: Settings) -> None:
    own = settings.model_copy(update={"pseudonym_key": None})
    own.pseudonym_secret()
    assert faults(own) == []
    (settings.home_dir / "pseudonym.key").chmod(0o644)
    assert [fault for fault in faults(own) if "chmod 600" in fault] != []


def test_another_time_zone(settings: Settings) -> None:
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(read_contracts(settings.dbt_project_dir / "models" / "staging"))
    assert faults(settings) == []
    moved = settings.model_copy(update={"timezone": "Europe/Berlin"})
    assert faults(moved) == ["business days of UTC: set REGULARS_TIMEZONE=UTC"]


def test_a_secret_that_is_not_there(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ABSENT_URL", raising=False)
    sources = tmp_path / "sources.yml"
    sources.write_text(
        'connections: {db: {kind: postgres, url: "${ABSENT_URL}"}}\ntables: {user_profile: {from: db, table: public.a}}\n'
    )
    (fault,) = faults(settings.model_copy(update={"sources": sources}))
    assert "ABSENT_URL" in fault


def test_a_home_that_is_a_file(settings: Settings, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    found = faults(settings.model_copy(update={"home": blocked}))
    assert any(fault.startswith("home: ") for fault in found)


def test_snowflake_without_an_account(settings: Settings) -> None:
    found = faults(settings.model_copy(update={"warehouse": "snowflake", "pseudonym_key": None}))
    assert any("REGULARS_SNOWFLAKE__ACCOUNT is missing" in fault for fault in found)
    assert any("set REGULARS_PSEUDONYM_KEY" in fault for fault in found)
    secret = settings.model_copy(update={"pseudonym_key": SecretStr("canary")})
    assert not any("canary" in finding.what + finding.remedy for finding in examine(secret))


def test_extras_are_missed_only_where_something_needs_them(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("connectorx", "statsforecast", "tableauhyperapi", "ipykernel", "snowflake.connector", "sqlglot"):
        monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    sources = tmp_path / "sources.yml"
    own = settings.model_copy(update={"sources": sources})
    files, erp = "{kind: files, path: .}", '{kind: sql, url: "mysql://reader@erp/sales"}'
    tables = "user_profile: {from: files, path: a.csv}"
    sources.write_text(f"connections: {{files: {files}, erp: {erp}}}\ntables: {{{tables}}}\n")
    assert faults(own) == [], "a connection that no table is read from needs nothing"
    sources.write_text(
        f"connections: {{files: {files}, erp: {erp}}}\ntables: {{{tables}, orders: {{from: erp, table: a}}}}\n"
    )
    assert faults(own) == [
        "extra sql for connections of kind sql (orders); connectorx not installed: "
        "pip install --constraint constraints.txt 'regulars[sql]'",
        "extra science for weekly-customer-analytics; statsforecast not installed: "
        "pip install --constraint constraints.txt 'regulars[science]', or run it with --set science=false",
    ]
    monkeypatch.delitem(sys.modules, "statsforecast")
    monkeypatch.delitem(sys.modules, "connectorx")
    assert faults(own) == []
    airbyte = '{kind: airbyte, url: "http://airbyte/api/public/v1"}'
    moved = "user_profile: {from: files, path: a.csv, mover: airbyte, sync: 18dccc91-0ab1-4f72-9ed7-0b8fc27c5826}"
    sources.write_text(
        f"connections: {{files: {files}, airbyte: {airbyte}}}\ntables: {{{moved}, orders: {{from: files, path: b.csv}}}}\n"
    )
    monkeypatch.setitem(sys.modules, "airbyte_api", None)
    assert [fault for fault in faults(own) if "mover: airbyte (user_profile); airbyte_api not installed" in fault]
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert [fault for fault in faults(own) if "no pictures" in fault and "matplotlib not installed" in fault]
    elsewhere = own.model_copy(update={"warehouse": "snowflake"})
    assert [fault for fault in faults(elsewhere) if "snowflake.connector, sqlglot not installed" in fault]


def test_extras_are_those_of_the_package() -> None:
    declared = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(declared) - set(MODULES) == {"hyper", "notebook", "bench", "dev"}
    assert all(absent_modules(names) == [] for names in MODULES.values())

"""Drafts of databases: the sample's, on the embedded PostgreSQL, and a MariaDB; no secret and no value of a person in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml

from regulars.contracts import read_contracts
from regulars.postgres.server import stop_server
from regulars.settings import PROJECT_DIR
from tests.integration.discovery.taken_over import answer, run_command
from tests.integration.landing.mariadb_server import mariadb_server

DAY = date(2026, 1, 5)


@pytest.fixture
def sample_home(tmp_path: Path, draft) -> Iterator[Path]:
    """A home whose PostgreSQL holds the evening of the sample's first day."""
    code, said = run_command("sample", "--users", "500", "--days", "1", "--out", tmp_path / "sample", "--load-postgres")
    assert code == 0, said
    yield tmp_path / "home"
    stop_server(tmp_path / "home")


def test_the_samples_database_becomes_drafts_that_land_and_stage(sample_home: Path, draft) -> None:
    said, taken = draft("dw_a", name="crm")
    assert "crm_user_profile" in said  # the project has a contract user_profile
    contracts = read_contracts(taken.out / "staging")
    ours = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")
    for name in ("user_profile", "user_activity", "retention_action", "feature_adoption"):
        found, known = contracts[f"crm_{name}"], ours[name]
        personal = {column.name: column.pii for column in known.columns if column.pii}
        assert {column.name: column.pii for column in found.columns if column.pii} == personal
        assert found.by_name.keys() == known.by_name.keys()
    assert contracts["crm_user_profile"].key == ("user_id",) and contracts["crm_user_profile"].mode == "upsert"
    assert contracts["crm_user_activity"].key == ("activity_id",)
    assert (contracts["crm_user_activity"].mode, contracts["crm_user_activity"].event_time) == ("append", "occurred_at")
    assert yaml.safe_load((taken.out / "sources.yml").read_text())["connections"]["dw_a"]["url"] == "embedded:dw_a"

    answer(taken.out, {"mode: upsert": "mode: snapshot"})
    assert run_command("validate", taken.out)[0] == 0
    landed = taken.land(DAY, only=lambda table: table.startswith("crm_user"))
    profiles = landed["crm_user_profile", DAY]
    assert profiles.rows_loaded >= 500 and profiles.rows_quarantined <= 2
    taken.stage(DAY)
    ((rows, users, length),) = taken.rows(
        "select count(*), count(distinct user_id), max(length(email_hash)) from staging.stg_crm__crm_user_profile"
    )
    assert (rows, length) == (users, 64) and 500 <= users <= profiles.rows_loaded


def test_the_url_of_a_mariadb_stays_out_of_the_drafts(tmp_path: Path, draft, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "server").mkdir()
    with mariadb_server(tmp_path / "server") as server:
        server.run(
            "create table invoices (no int, line int, net decimal(12,2), due_on date, updated_at timestamp, paid tinyint(1), "
            "buyer_mail varchar(50), primary key (no, line))",
            "insert into invoices select seq div 2, seq mod 2, seq / 100, '2026-01-05', '2026-01-05 10:00', seq mod 2, "
            "concat('k', seq, '@example.org') from seq_1_to_200",
            "create view open_invoices as select * from invoices where paid = 0",
        )
        said, taken = draft(server.url, name="erp")
        texts = said + "".join(file.read_text() for file in taken.out.rglob("*.*"))
        for secret in ("p@ss", "p%40ss", "reader", "example.org"):
            assert secret not in texts
        assert "export ERP_URL=" in said
        contract = read_contracts(taken.out / "staging")["invoices"]
        assert (contract.key, contract.mode, contract.event_time) == (("no", "line"), "upsert", "updated_at")
        assert {name: column.data_type for name, column in contract.by_name.items()} == {
            "no": "bigint", "line": "bigint", "net": "decimal(18,2)", "due_on": "date", "updated_at": "timestamp",
            "paid": "boolean", "buyer_mail": "varchar",
        }  # fmt: skip
        answer(taken.out)
        monkeypatch.setenv("ERP_URL", server.url)
        landed = taken.land(DAY, only=lambda table: table == "invoices")
    assert "open_invoices" in said and landed["invoices", DAY].rows_loaded == 200
    assert not landed["invoices", DAY].rows_quarantined

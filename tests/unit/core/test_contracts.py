"""Contracts read from the dbt sources YAML."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from dbt.artifacts.resources.types import TimePeriod
from dbt.artifacts.resources.v1.components import Time

from regulars.contracts import read_contracts
from regulars.errors import ConfigError
from regulars.settings import PROJECT_DIR

THIRTEEN = {
    "user_profile", "user_activity", "engagement_score", "feature_adoption", "retention_action",
    "support_calls", "support_chats", "issue_tickets", "service_requests", "product_support_usage", "repeat_engagements",
    "region_metadata", "region_thresholds",
}  # fmt: skip
GOOD = {
    "name": "orders",
    "description": "Orders.",
    "config": {"meta": {"key": ["order_id"], "mode": "snapshot", "owner": "sales"}},
    "columns": [
        {"name": "order_id", "description": "Key.", "data_type": "varchar", "config": {"meta": {"required": True}}}
    ],
}


def write(folder: Path, table: dict[str, object]) -> Path:
    document = {"version": 2, "sources": [{"name": "shop", "tables": [table]}]}
    (folder / "_shop__sources.yml").write_text(yaml.safe_dump(document))
    return folder


def test_the_thirteen_contracts_are_complete() -> None:
    contracts = read_contracts(PROJECT_DIR / "dbt/warehouse/models/staging")
    assert set(contracts) >= THIRTEEN
    for contract in contracts.values():
        assert contract.description and contract.owner and contract.key
        assert contract.warn_after_days and contract.error_after_days
        for column in contract.columns:
            assert len(column.description) > 10, (contract.table, column.name)
    assert contracts["user_profile"].population
    assert set(contracts["user_profile"].personal_columns) == {"email", "full_name", "phone", "postal_address"}
    assert ("email_hash", "varchar") in contracts["user_profile"].landed_columns


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": []}, "columns"),
        ({"description": ""}, "description"),
        ({"columns": [{**GOOD["columns"][0], "data_type": "text"}]}, "data_type 'text'"),
        ({"columns": [{**GOOD["columns"][0], "name": "Order Id"}]}, "lower-case"),
        ({"columns": [*GOOD["columns"], *GOOD["columns"]]}, "twice"),
        ({"config": {"meta": {"key": ["id"], "mode": "snapshot", "owner": "sales"}}}, "key names 'id'"),
        ({"config": {"meta": {"mode": "snapshot", "owner": "sales"}}}, "needs a key"),
        ({"config": {"meta": {"key": ["order_id"], "mode": "append", "owner": "sales"}}}, "needs an event_time"),
        ({"config": {"meta": {"key": ["order_id"], "mode": "snapshot", "owner": "sales", "colour": 1}}}, "colour"),
        ({"columns": [{**GOOD["columns"][0], "config": {"meta": {"pii": "secret"}}}]}, "pii"),
    ],
)
def test_a_wrong_contract_names_file_table_and_field(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_contracts(write(tmp_path, {**GOOD, **change}))
    assert "_shop__sources.yml" in str(caught.value)
    assert "shop.orders" in str(caught.value)


def test_the_fingerprint_ignores_words_and_follows_rules(tmp_path: Path) -> None:
    def fingerprint(table: dict[str, object]) -> str:
        return read_contracts(write(tmp_path, table))["orders"].fingerprint()

    said_otherwise = {**GOOD, "description": "All orders."}
    ruled_otherwise = {**GOOD, "columns": [{**GOOD["columns"][0], "data_type": "bigint"}]}
    assert fingerprint(GOOD) == fingerprint(said_otherwise) != fingerprint(ruled_otherwise)


def test_the_schema_for_editors_is_up_to_date_and_agrees_with_the_reader() -> None:
    import json

    from jsonschema import Draft202012Validator

    from regulars.contract_schema import contract_schema

    kept = json.loads((PROJECT_DIR / "dbt/warehouse/contracts.schema.json").read_text())
    assert kept == json.loads(json.dumps(contract_schema())), "python -m regulars.contract_schema writes it anew"
    validator = Draft202012Validator(kept)
    for path in (PROJECT_DIR / "dbt/warehouse/models/staging").rglob("_*__sources.yml"):
        document = yaml.safe_load(path.read_text())
        assert list(validator.iter_errors(document)) == []
        assert "contracts.schema.json" in path.read_text().splitlines()[0]
    for wrong in (
        {**GOOD, "config": {"meta": {"mode": "sometimes", "owner": "sales", "key": ["order_id"]}}},
        {**GOOD, "config": {"meta": {"mode": "snapshot", "key": ["order_id"]}}},
        {**GOOD, "columns": [{**GOOD["columns"][0], "data_type": "text"}]},
        {**GOOD, "columns": [{**GOOD["columns"][0], "config": {"meta": {"colour": "red"}}}]},
    ):
        assert list(validator.iter_errors({"version": 2, "sources": [{"name": "shop", "tables": [wrong]}]}))
    assert list(validator.iter_errors({"version": 2, "sources": [{"name": "shop", "tables": [GOOD]}]})) == []


@pytest.mark.parametrize(
    ("period", "count", "days"), [("day", 8, 8), ("hour", 12, 0), ("hour", 60, 2), ("hour", 48, 2), ("minute", 90, 0)]
)
def test_limits_of_freshness_are_those_of_dbt_for_ages_in_whole_days(
    tmp_path: Path, period: str, count: int, days: int
) -> None:
    limit = {"count": count, "period": period}
    table = {**GOOD, "config": {**GOOD["config"], "freshness": {"warn_after": limit}}}  # type: ignore[dict-item]
    contract = read_contracts(write(tmp_path, table))["orders"]
    assert (contract.warn_after_days, contract.error_after_days) == (days, None)
    theirs = Time(count=count, period=TimePeriod(period))
    assert [theirs.exceeded(age * 86400) for age in range(10)] == [age > days for age in range(10)]

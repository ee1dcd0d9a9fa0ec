"""JSON schemas of the sources YAML, made from the contract models, so that editors complete and check what is typed.

`python -m regulars.contract_schema` writes `contracts.schema.json` of both dbt projects anew; a test keeps them equal.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from regulars.cleansing.rules import MappingRule
from regulars.contracts import NAME, TYPE, Column, Contract
from regulars.settings import PROJECT_DIR
from regulars.sheet_contracts import SheetColumn

# Where the fields of a contract stand in the YAML, if not under config.meta.
IN_TABLE = {"source", "table", "description", "columns", "warn_after_days", "error_after_days"}
IN_COLUMN = {"name", "data_type", "description"}


def contract_schema() -> dict[str, Any]:
    """JSON schema (2020-12) of a `_<group>__sources.yml`; keys that dbt knows besides stay allowed outside of `meta`."""
    return _schema(_meta(Column, IN_COLUMN))


def sheet_schema() -> dict[str, Any]:
    """The same for sheets, whose columns also say how they are mapped, side by side with the other fields."""
    column, rule = _meta(SheetColumn, {*IN_COLUMN, "rule"}), _meta(MappingRule, set())
    return _schema({**column, "properties": {**column["properties"], **rule["properties"]}})


def _schema(column_meta: dict[str, Any]) -> dict[str, Any]:
    column = _object(
        {
            "name": _pattern(NAME.pattern),
            "data_type": _pattern(TYPE.pattern),
            "description": {"type": "string", "minLength": 1},
            "config": _object({"meta": column_meta}),
        },
        required=["name", "data_type", "description"],
    )
    limit = _object({"count": {"type": "integer", "minimum": 1}, "period": {"enum": ["minute", "hour", "day"]}})
    table = _object(
        {
            "name": _pattern(NAME.pattern),
            "description": {"type": "string", "minLength": 1},
            "columns": {"type": "array", "minItems": 1, "items": column},
            "config": _object(
                {"freshness": _object({"warn_after": limit, "error_after": limit}), "meta": _meta(Contract, IN_TABLE)}
            ),
        },
        required=["name", "description", "columns", "config"],
    )
    source = _object(
        {"name": _pattern(NAME.pattern), "tables": {"type": "array", "items": table}}, required=["name", "tables"]
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Contracts of raw tables",
        **_object({"version": {"const": 2}, "sources": {"type": "array", "items": source}}, required=["sources"]),
    }


def _meta(model: type[BaseModel], elsewhere: set[str]) -> dict[str, Any]:
    found = model.model_json_schema()
    properties = {name: facts for name, facts in found["properties"].items() if name not in elsewhere}
    required = [name for name in found.get("required", []) if name not in elsewhere]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


def _pattern(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({pattern})$"}


if __name__ == "__main__":
    for folder, schema in {"warehouse": contract_schema(), "operational": sheet_schema()}.items():
        (PROJECT_DIR / "dbt" / folder / "contracts.schema.json").write_text(json.dumps(schema, indent=1) + "\n")

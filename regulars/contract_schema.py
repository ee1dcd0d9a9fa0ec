"""The JSON schema of the sources YAML, made from the contract models, so that editors complete and check what is typed.

`python -m regulars.contract_schema > dbt/warehouse/contracts.schema.json` writes it anew; a test keeps the two equal.
"""

from __future__ import annotations

import json
from typing import Any

from regulars.contracts import NAME, TYPE, Column, Contract

# Where the fields of a contract stand in the YAML, if not under config.meta.
IN_TABLE = {"source", "table", "description", "columns", "warn_after_days", "error_after_days"}
IN_COLUMN = {"name", "data_type", "description"}


def contract_schema() -> dict[str, Any]:
    """JSON schema (2020-12) of a `_<group>__sources.yml`; keys that dbt knows besides stay allowed outside of `meta`."""
    column = _object(
        {
            "name": _pattern(NAME.pattern),
            "data_type": _pattern(TYPE.pattern),
            "description": {"type": "string", "minLength": 1},
            "config": _object({"meta": _meta(Column, IN_COLUMN)}),
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


def _meta(model: type[Column] | type[Contract], elsewhere: set[str]) -> dict[str, Any]:
    found = model.model_json_schema()
    properties = {name: facts for name, facts in found["properties"].items() if name not in elsewhere}
    required = [name for name in found.get("required", []) if name not in elsewhere]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


def _pattern(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({pattern})$"}


if __name__ == "__main__":
    print(json.dumps(contract_schema(), indent=1))

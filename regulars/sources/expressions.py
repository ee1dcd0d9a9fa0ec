"""What a `columns:` entry of sources.yml means: the name of a source column, or a DuckDB expression over them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from regulars.errors import ConfigError


def match_column(name: str, names: list[str]) -> str | None:
    """The source column of that name: the exact one, else the only one that differs in case alone."""
    if name in names:
        return name
    alike = [candidate for candidate in names if candidate.lower() == name.strip().lower()]
    return alike[0] if len(alike) == 1 else None


def column_references(expression: str, names: list[str]) -> list[str]:
    """Source columns that an expression reads. Raises ConfigError where it is not a DuckDB expression."""
    with duckdb.connect() as parser:
        row = parser.execute("select json_serialize_sql(?)", [f"select ({expression})"]).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        raise ConfigError(
            f"sources.yml: {expression!r} is neither a source column nor a DuckDB expression: "
            f"{tree.get('error_message', '')}",
            remedy='quote names inside an expression: "Unit Price" * 2',
        )
    found = (match_column(part, names) for reference in _references(tree) for part in reference)
    return list(dict.fromkeys(name for name in found if name))


def _references(node: Any) -> Iterator[list[str]]:
    if isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            yield node["column_names"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def renamed(expression: str, names: dict[str, str]) -> str:
    """The expression with source columns replaced by others (`names`: old to new)."""
    with duckdb.connect() as parser:
        row = parser.execute("select json_serialize_sql(?)", [f"select ({expression})"]).fetchone()
        tree = json.loads(row[0]) if row else {}
        for reference in _references(tree):
            old = match_column(reference[-1], list(names))
            if old:
                reference[:] = [names[old]]
        row = parser.execute("select json_deserialize_sql(cast(? as json))", [json.dumps(tree)]).fetchone()
    return str(row[0]).removeprefix("SELECT ") if row else expression

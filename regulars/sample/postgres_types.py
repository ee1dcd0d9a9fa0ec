"""PostgreSQL types of contract types, as a department would have chosen them."""

from __future__ import annotations

TYPES = {
    "varchar": "text", "bigint": "bigint", "double": "double precision", "boolean": "boolean", "date": "date",
    "timestamp": "timestamp",
}  # fmt: skip


def postgres_type(data_type: str) -> str:
    """The PostgreSQL type for a contract's `data_type`."""
    return data_type.replace("decimal", "numeric") if data_type.startswith("decimal") else TYPES[data_type]

"""What two warehouses hold, compared row by row and type by type; times of running and identifiers of runs aside."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from regulars.segments.snowflake_dialect import SnowflakeDialect
from regulars.segments.unload import DuckDBDialect
from regulars.settings import Settings

SCHEMAS = ("raw", "quarantine", "marts", "segments", "ops")
# Columns that are of the run, not of the data. The settings' fingerprint names the engine; bytes of a delivery are the
# engine's way of writing the same rows.
OWN = {
    "quarantine": {"quarantined_at", "replayed_at"},
    "ops.ingestion_logs": {"run_id", "seconds", "started_at", "finished_at"},
    "ops.dq_check_logs": {"run_id", "checked_at"},
    "ops.deliveries": {"bytes", "manifest_sha256", "run_id", "delivered_at"},
    "ops.findings": {"run_id", "detected_at"},
    "ops.freshness": {"checked_at"},
    "ops.runs": {"run_id", "started_at", "finished_at", "published_at", "settings"},
}
# How Snowflake does it; the last is a temporary table, which on the emulator is one like others.
ONLY_HERE = {"ops.run_lock", "quarantine._rejects", "quarantine._replays", "ops.imported_file"}
RELATIONS = (
    "select lower(table_schema), lower(table_name) from information_schema.tables "
    "where table_catalog = current_database() and lower(table_schema) in ('raw', 'quarantine', 'marts', 'segments', 'ops') "
    "order by 1, 2"
)


def relations(warehouse: Any) -> list[str]:
    """Names of everything that readers, models and records are made of."""
    found = {f"{schema}.{name}" for schema, name in warehouse.query(RELATIONS)}
    return sorted(found - ONLY_HERE)


def columns(warehouse: Any, settings: Settings, relation: str) -> dict[str, str]:
    """Types by column, in the words of contracts."""
    dialect = DuckDBDialect() if settings.warehouse == "duckdb" else SnowflakeDialect()
    found = warehouse.query(dialect.columns(), relation.split("."))
    return {name: kind.replace(" ", "") for name, kind in found}


def rows(warehouse: Any, relation: str, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """All rows, in an order of their own."""
    schema, table = relation.split(".")
    listed = ", ".join(f'"{name.upper()}"' for name in names)
    found = warehouse.query(f'select {listed} from {schema}."{table.upper()}"')
    return sorted(found, key=lambda row: [(value is not None, str(value)) for value in row])


def differences(left: tuple[Any, Settings], right: tuple[Any, Settings]) -> list[str]:
    """A line for each relation that is not the same: what is missing, what types differ, the first differing rows."""
    (one, one_settings), (other, other_settings) = left, right
    names = relations(one)
    if names != relations(other):
        return [f"relations: {sorted(set(names) ^ set(relations(other)))}"]
    found = []
    for relation in names:
        types, others = columns(one, one_settings, relation), columns(other, other_settings, relation)
        if types != others:
            apart = {name: (types.get(name), others.get(name)) for name in {**types, **others}}
            found.append(f"{relation}: types {[(n, pair) for n, pair in apart.items() if pair[0] != pair[1]]}")
        own = OWN.get(relation) or OWN.get(relation.split(".")[0], set())
        compared = [name for name in types if name not in own and name in others]
        mine, theirs = rows(one, relation, compared), rows(other, relation, compared)
        if len(mine) != len(theirs):
            found.append(f"{relation}: {len(mine)} and {len(theirs)} rows")
        unequal = [(a, b) for a, b in zip(mine, theirs, strict=False) if not same(a, b)]
        if unequal:
            a, b = unequal[0]
            cells = [(name, x, y) for name, x, y in zip(compared, a, b, strict=True) if not same((x,), (y,))]
            found.append(f"{relation}: {len(unequal)} of {len(mine)} rows differ, the first in {cells}")
    return found


def same(left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    """Equal values of equal types; doubles to nine digits."""
    return all(
        math.isclose(a, b, rel_tol=1e-9) if isinstance(a, float) and isinstance(b, float) else a == b
        for a, b in zip(left, right, strict=True)
    )


def delivered(folder: Path) -> dict[str, list[tuple[str | None, ...]]]:
    """Rows of every delivered file as text, by its place; manifests aside."""
    found: dict[str, list[tuple[str | None, ...]]] = {}
    for path in sorted(folder.rglob("*")):
        place = str(path.relative_to(folder))
        if path.suffix == ".csv":
            with path.open(newline="") as file:
                found[place] = [tuple(row) for row in csv.reader(file)]
        elif path.suffix == ".parquet":
            with duckdb.connect() as reader:
                result = reader.execute(f"select * from read_parquet('{path}')")
                names = tuple(column[0] for column in result.description or [])
                found[place] = [names, *(tuple(_text(value) for value in row) for row in result.fetchall())]
    return found


def _text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else None if value is None else str(value)

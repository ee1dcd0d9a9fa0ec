"""Optional parts of an installation: what brings them, and which of them a place's settings and sources ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from importlib.util import find_spec

from regulars.findings import Finding
from regulars.settings import Settings
from regulars.sources.config import Sources
from regulars.stages import Stage

# Modules by extra of pyproject.toml. `hyper` and `notebook` are asked for by a command alone, which says so itself.
MODULES = {
    "science": ("scipy", "sklearn", "statsforecast", "matplotlib"),
    "sql": ("connectorx",),
    "airbyte": ("airbyte_api",),
    "snowflake": ("snowflake.connector", "snowflake.sqlalchemy", "dbt.adapters.snowflake", "prefect_snowflake", "sqlglot"),
}  # fmt: skip


def absent_modules(names: Collection[str]) -> list[str]:
    """Those that cannot be imported here."""
    return [name for name in names if not _is_there(name)]


def judge_extras(settings: Settings, sources: Sources, stages: Mapping[str, Stage]) -> Iterator[Finding]:
    """A finding for each extra that somebody here needs; the others are nobody's loss."""
    for extra, reason in _needed(settings, sources, stages).items():
        absent = absent_modules(MODULES[extra])
        lacking = f"; {', '.join(absent)} not installed" if absent else ""
        remedy = f"pip install --constraint constraints.txt 'regulars[{extra}]'"
        if extra == "science":
            remedy += (
                ", or run it with --set science=false"
                if set(absent) - {"matplotlib"}
                else ": without it there are no pictures"
            )
        yield Finding(f"extra {extra} for {reason}{lacking}", not absent, remedy)


def _needed(settings: Settings, sources: Sources, stages: Mapping[str, Stage]) -> dict[str, str]:
    """Reason by extra."""
    needed = {}
    if settings.warehouse == "snowflake":
        needed["snowflake"] = "REGULARS_WAREHOUSE=snowflake"
    by_sql = sorted(table for table in sources.tables if sources.connection_of(table).kind == "sql")
    if by_sql:
        needed["sql"] = f"connections of kind sql ({', '.join(by_sql)})"
    moved = sorted(table for table, source in sources.tables.items() if source.mover)
    if moved:
        needed["airbyte"] = f"mover: airbyte ({', '.join(moved)})"
    if set(stages["sales"].tables) & set(sources.tables):
        needed["science"] = "weekly-customer-analytics"
    return needed


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of a package above it
        return False

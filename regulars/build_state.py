"""What a model of the warehouse must have been made from to be left as it is.

A run that was killed is carried on, not begun again: each model leaves a mark in `ops.built_models` in the transaction that
makes it (macro `mark_built`), and a model whose mark says exactly what this run would make is not built once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from regulars.engine import identifier, quote
from regulars.run_days import BuildDays
from regulars.settings import Settings
from regulars.stages import Stage
from regulars.warehouse.base import Warehouse

IN_PLACE = """
select b.model
from ops.built_models as b
inner join information_schema.tables as t on b.model = lower(t.table_name) and b.schema_name = lower(t.table_schema)
where b.mark in (?, ?)
order by b.model
"""


LEFTOVERS = """
select table_schema, table_name, case table_type when 'VIEW' then 'view' else 'table' end
from information_schema.tables
where table_catalog = current_database()
    and (right(lower(table_name), 12) = '__dbt_backup' or right(lower(table_name), 9) = '__dbt_tmp')
order by table_schema, table_name
"""


@dataclass(frozen=True)
class BuildState:
    """Marks of one dbt run, 16 hex digits each.

    `project` is left by models that depend on the project alone (the staging views, `meta.lasting`), `days` by
    all others, which depend on the days of the run, the batches that count and the results that were stored.
    """

    project: str
    days: str

    def environment(self) -> dict[str, str]:
        """Variables through which the models learn their marks."""
        return {"REGULARS_PROJECT_MARK": self.project, "REGULARS_DAYS_MARK": self.days}


def build_state(warehouse: Warehouse, settings: Settings, stage: Stage, days: BuildDays, population: str) -> BuildState:
    """The marks of a run over `days`, from the project's files, the settings that reach models, the stage's batches and results."""
    given = [settings.timezone, population, str(settings.fiscal_year_start_month)]
    project = _digest([_project_digest(settings.dbt_project_dir), *given])
    tables = ", ".join(quote(table) for table in stage.tables)
    batches = warehouse.query(
        f"select batch_id from ops.effective_batches where table_name in ({tables}) order by batch_id"
    )
    facts = [project, str(days.first_day), str(days.as_of), *(batch_id for (batch_id,) in batches)]
    if stage.results:
        named = ", ".join(quote(table) for table in stage.results)
        facts += [
            f"{table} {digest}"
            for table, digest in warehouse.query(
                f"select table_name, digest from ops.stored_results where table_name in ({named}) order by table_name"
            )
        ]
    return BuildState(project, _digest(facts))


def models_in_place(warehouse: Warehouse, state: BuildState) -> list[str]:
    """Names of models that are there and bear the marks of `state`."""
    return [model for (model,) in warehouse.query(IN_PLACE, [state.project, state.days])]


def drop_leftovers(warehouse: Warehouse) -> None:
    """Drop relations that dbt renames a model from and to: a killed run may have left them, and its model in place."""
    for schema, name, kind in warehouse.query(LEFTOVERS):
        warehouse.execute(f"drop {kind} if exists {identifier(schema)}.{identifier(name)}")


def _project_digest(folder: Path) -> str:
    files = sorted(path for part in ("models", "macros") for path in (folder / part).rglob("*") if path.is_file())
    return _digest(f"{path.relative_to(folder)} {path.read_text()}" for path in [folder / "dbt_project.yml", *files])


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

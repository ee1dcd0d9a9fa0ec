"""What a publication must leave alone: models of another stage that were built anew and have not passed their gate yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from regulars.engine import quote
from regulars.stages import Stage
from regulars.warehouse.base import Warehouse

UNPROVEN = """
select b.model
from ops.built_models as b
left join ops.published_models as p on b.schema_name = p.schema_name and b.model = p.model
where b.schema_name = ? and b.mark is distinct from p.mark and b.model in ({models})
"""


def held_back(warehouse: Warehouse, stage: Stage, stages: Iterable[Stage]) -> Collection[str]:
    """Relations of `stage.schema` that readers must go on seeing as they were published, by name."""
    shown = set(stage.shown_models)
    others = [other for other in stages if other.schema == stage.schema and not shown & set(other.models)]
    return {
        model
        for other in others
        if warehouse.query(UNPROVEN.format(models=_listed(other.models)), [stage.schema])
        for model in other.models
    }


def remember_published(warehouse: Warehouse, stage: Stage) -> None:
    """Record what the models of `stage` were made from when they were published."""
    models = _listed(stage.shown_models)
    with warehouse.transaction():
        warehouse.execute(f"delete from ops.published_models where model in ({models})")
        warehouse.execute(
            f"""insert into ops.published_models (schema_name, model, mark)
                select schema_name, model, mark from ops.built_models where schema_name = ? and model in ({models})""",
            [stage.schema],
        )


def _listed(models: Iterable[str]) -> str:
    return ", ".join(quote(model) for model in models)

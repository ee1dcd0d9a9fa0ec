"""Stages of a build: models that are built, judged and published together, and the raw tables whose batches drive them.

`vars.stages` of dbt/warehouse/dbt_project.yml lists them; the macros read the same list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from regulars.contracts import Contract
from regulars.errors import ConfigError


@dataclass(frozen=True)
class Stage:
    """One stage. `tables` are raw tables; `folders` lie below `models` of the dbt project; `models` are all names in them.

    `after` is the stage whose models its own are made from, if there is one. `schema` is what it publishes.
    `results` are the tables of `ops` (`result_tables`) that its models are made from as well.
    `states_per_day`: members have a state on each landed day, so that many days are built in chunks.
    """

    name: str
    tables: tuple[str, ...]
    folders: tuple[str, ...]
    models: tuple[str, ...]
    schema: str = "marts"
    after: Stage | None = None
    results: tuple[str, ...] = ()
    states_per_day: bool = False

    @property
    def select(self) -> tuple[str, ...]:
        """dbt's selectors of its models and their tests."""
        return tuple(f"path:models/{folder}" for folder in self.folders)

    @property
    def shown_models(self) -> tuple[str, ...]:
        """Models that are judged and published with it: its own, and those of the stage before that shows in the same schema."""
        before = self.after if self.after and self.after.schema == self.schema else None
        return (*self.models, *(before.shown_models if before else ()))

    @property
    def all_models(self) -> tuple[str, ...]:
        """Its models and those that they are made from."""
        return (*self.models, *(self.after.all_models if self.after else ()))


def read_stages(dbt_project_dir: Path, contracts: Mapping[str, Contract]) -> dict[str, Stage]:
    """Stages by name, in the order of the file. Raises ConfigError where an entry names a source that has no contract."""
    path = dbt_project_dir / "dbt_project.yml"
    entries = yaml.safe_load(path.read_text())["vars"]["stages"]
    groups = {contract.source for contract in contracts.values()}
    stages: dict[str, Stage] = {}
    for name, entry in entries.items():
        unknown = set(entry["sources"]) - groups
        if unknown:
            raise ConfigError(
                f"{path.name}: vars.stages.{name}.sources: {', '.join(sorted(unknown))} has no contracts",
                remedy=f"one of: {', '.join(sorted(groups))}",
            )
        tables = sorted(table for table, contract in contracts.items() if contract.source in entry["sources"])
        folders = [dbt_project_dir / "models" / folder for folder in entry["folders"]]
        models = sorted(model.stem for folder in folders for model in folder.rglob("*.sql"))
        schema = "segments" if "segments" in entry["folders"] else "marts"
        after = stages.get(entry.get("after", ""))
        stages[name] = Stage(
            name,
            tuple(tables),
            tuple(entry["folders"]),
            tuple(models),
            schema,
            after,
            tuple(entry.get("results", ())),
            entry.get("states_per_day", False),
        )
    return stages

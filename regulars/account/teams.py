"""What each team reads, from the exposures of the dbt project: `owner.name` is the team, `depends_on` what it reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from regulars.errors import ConfigError

REF = re.compile(r"ref\('(\w+)'\)")
READABLE = ("marts", "segments")


@dataclass(frozen=True)
class TeamView:
    """A published model that a team reads, with the columns that its YAML lists."""

    schema: str
    model: str
    columns: tuple[str, ...]


def read_teams(models_dir: Path) -> dict[str, tuple[TeamView, ...]]:
    """Views by team. Raises ConfigError where an exposure names a model that is not published, or not described."""
    columns = _described(models_dir)
    found: dict[str, dict[str, TeamView]] = {}
    for path, exposure in _entries(models_dir, "exposures"):
        team = str((exposure.get("owner") or {}).get("name") or "")
        if not team:
            raise ConfigError(f"{path.name}: exposure {exposure.get('name')} has no owner name", remedy="name the team")
        for model in REF.findall(" ".join(exposure.get("depends_on") or [])):
            schema = next((part for part in READABLE if list((models_dir / part).rglob(f"{model}.sql"))), None)
            if schema is None or not columns.get(model):
                raise ConfigError(
                    f"{path.name}: exposure {exposure.get('name')}: {model} is no described model of marts or segments",
                    remedy="name a published model, and list its columns in its YAML",
                )
            found.setdefault(team, {})[model] = TeamView(schema, model, columns[model])
    return {team: tuple(views.values()) for team, views in found.items()}


def _described(models_dir: Path) -> dict[str, tuple[str, ...]]:
    return {
        str(model["name"]): tuple(str(column["name"]) for column in model.get("columns") or [])
        for _, model in _entries(models_dir, "models")
    }


def _entries(models_dir: Path, key: str) -> list[tuple[Path, dict[str, Any]]]:
    """Entries under one key of every YAML file of the project, with their file."""
    found = []
    for path in sorted(models_dir.rglob("*.yml")):
        try:
            document = yaml.safe_load(path.read_text()) or {}
        except yaml.YAMLError:
            raise ConfigError(f"{path.name}: not YAML", remedy="correct the file") from None
        found += [(path, entry) for entry in document.get(key) or []]
    return found

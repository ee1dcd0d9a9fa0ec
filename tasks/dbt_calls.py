"""Calls of dbt in this process, by prefect-dbt; each has variables and a target folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dbt_common.events.base_types import EventLevel
from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings

from regulars.dbt_project import stopped_in_words
from regulars.settings import environment_for


class ProfilesAsTheyAre(PrefectDbtSettings):
    """Ours name environment variables only: a copy with blocks filled in, in a temporary folder, would outlive a kill."""

    @contextmanager
    def resolve_profiles_yml(self) -> Iterator[str]:
        """The folder of profiles.yml."""
        yield str(self.profiles_dir)


def call_dbt(
    project: Path, target: Path, arguments: Sequence[str], environment: Mapping[str, str], *, node_tasks: bool = False
) -> Any:
    """dbt's own result of one call. Raises BuildError where dbt stops before it runs a model."""
    target.mkdir(parents=True, exist_ok=True)
    runner = PrefectDbtRunner(
        settings=ProfilesAsTheyAre(
            project_dir=project, profiles_dir=project, target_path=target,
            log_level=EventLevel.WARN,  # the default is Prefect's own level, whose names dbt does not know
        ),
        raise_on_failure=False, disable_assets=True, _disable_callbacks=not node_tasks,
    )  # fmt: skip
    with environment_for(environment), stopped_in_words():
        return runner.invoke(list(arguments))

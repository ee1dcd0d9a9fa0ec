"""Build the dbt project for the days that need it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from dbt_common.events.base_types import EventLevel
from prefect import task
from prefect_dbt import PrefectDbtRunner, PrefectDbtSettings

from regulars.dbt_project import (
    SEGMENTS,
    Built,
    build_arguments,
    build_environment,
    keep_parsed_project,
    raise_if_failed,
    read_results,
)
from regulars.run_days import BuildDays, Stage, days_to_build, remember_built
from tasks.context import RunContext, utc_now
from tasks.retry import TASK


@task(name="build", task_run_name="build {context.run.as_of}", timeout_seconds=12 * 3600, **TASK)
def build_marts(context: RunContext, rebuild: bool) -> list[Built]:
    """Bring every model but the segments up to date; earlier chunks of a long stretch go untested.

    Raises BuildError; what is published stays as it was.
    """
    with context.step("build") as facts:
        chunks = _pending(context, "marts", rebuild)
        built = [
            run_dbt(
                context,
                days,
                f"build-{days.as_of}",
                exclude=SEGMENTS,
                full_refresh=rebuild and days == chunks[0],
                with_tests=False,
            )
            for days in chunks[:-1]
        ]
        last = chunks[-1]
        built.append(run_dbt(context, last, "build", exclude=SEGMENTS, full_refresh=rebuild and last == chunks[0]))
        remember_built(context.warehouse, "marts")
        facts.update(
            first_day=str(chunks[0].first_day),
            last_day=str(last.as_of),
            models=built[-1].count("model"),
            tests=built[-1].count("test"),
        )
        return built


@task(
    name="build-segments",
    task_run_name="build segments {context.run.as_of}",
    timeout_seconds=4 * 3600,
    **TASK,
)
def build_segments(context: RunContext, rebuild: bool) -> list[Built]:
    """Bring the segments and their membership up to date. Raises BuildError."""
    with context.step("build-segments") as facts:
        chunks = _pending(context, "segments", rebuild)
        built = [
            run_dbt(
                context,
                days,
                f"segments-{days.as_of}",
                select=SEGMENTS,
                full_refresh=rebuild and days == chunks[0],
                with_tests=days == chunks[-1],
            )
            for days in chunks
        ]
        remember_built(context.warehouse, "segments")
        facts.update(first_day=str(chunks[0].first_day), last_day=str(chunks[-1].as_of))
        return built


def _pending(context: RunContext, stage: Stage, rebuild: bool) -> list[BuildDays]:
    size = context.settings.history_chunk_days
    return days_to_build(context.warehouse, stage, context.run.as_of, chunk_days=size, rebuild=rebuild)


def run_dbt(
    context: RunContext, days: BuildDays, label: str, *, select: Sequence[str] = (), exclude: Sequence[str] = (),
    full_refresh: bool = False, with_tests: bool = True,
) -> Built:  # fmt: skip
    """One dbt run through prefect-dbt, in this process, with its own target folder. Raises BuildError."""
    settings = context.settings
    target = settings.home_dir / "dbt" / context.run.run_id / label
    target.mkdir(parents=True, exist_ok=True)
    os.environ.update(context.warehouse.dbt_environment() | build_environment(days))
    arguments = build_arguments(
        settings, target_path=target, population=context.sources.population.replace("contract", ""),
        select=select, exclude=exclude, full_refresh=full_refresh, with_tests=with_tests,
    )  # fmt: skip
    runner = PrefectDbtRunner(
        settings=PrefectDbtSettings(
            project_dir=settings.dbt_project_dir, profiles_dir=settings.dbt_project_dir, target_path=target,
            log_level=EventLevel.WARN,  # the default is Prefect's own level, whose names dbt does not know
        ),
        raise_on_failure=False, disable_assets=True, _disable_callbacks=not settings.dbt_node_tasks,
    )  # fmt: skip
    runner.invoke(arguments)
    keep_parsed_project(settings, target)
    built = read_results(target, days)
    context.warehouse.record("dq_check_logs", built.check_rows(context.run, utc_now()))
    raise_if_failed(built)
    return built

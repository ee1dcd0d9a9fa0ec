"""Build the dbt project for the days that need it."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from regulars.build_state import build_state, drop_leftovers, models_in_place
from regulars.dbt_project import (
    Built,
    build_arguments,
    build_environment,
    keep_parsed_project,
    raise_if_failed,
    read_results,
)
from regulars.run_days import BuildDays, chunk_days, days_to_build, forget_built, remember_built
from regulars.stages import Stage
from tasks.context import RunContext, utc_now
from tasks.dbt_calls import call_dbt
from tasks.retry import TASK


@task(name="build", task_run_name="build {stage.name} {context.run.as_of}", timeout_seconds=12 * 3600, **TASK)
def build_stage(context: RunContext, stage: Stage, rebuild: bool) -> list[Built]:
    """Bring every model of a stage up to date; raises BuildError, and what is published stays as it was."""
    with context.step("build", stage.name) as facts:
        built = _build(context, stage, rebuild)
        facts.update(_days(built), models=built[-1].count("model"), tests=built[-1].count("test"))
        return built


def _build(context: RunContext, stage: Stage, rebuild: bool) -> list[Built]:
    """Build the days that need it in chunks, oldest first; only the last is tested. Each finished chunk is remembered."""
    warehouse = context.warehouse
    size = chunk_days(warehouse, stage, context.settings)
    chunks = days_to_build(warehouse, stage, context.run.as_of, chunk_days=size, rebuild=rebuild)
    if rebuild:
        forget_built(warehouse, stage)
        context.proofs.forget()
    built = []
    for days in chunks:
        is_fresh, is_last = rebuild and days == chunks[0], days == chunks[-1]
        built.append(run_dbt(context, stage, days, full_refresh=is_fresh, with_tests=is_last))
        remember_built(warehouse, stage, days.as_of)
    return built


def _days(built: Sequence[Built]) -> dict[str, str]:
    return {"first_day": str(built[0].days.first_day), "last_day": str(built[-1].days.as_of)}


def run_dbt(
    context: RunContext, stage: Stage, days: BuildDays, *, full_refresh: bool = False, with_tests: bool = True
) -> Built:
    """One dbt run through prefect-dbt, in this process, with its own target folder. Raises BuildError."""
    settings, label = context.settings, f"{stage.name}-{days.as_of}"
    target = settings.home_dir / "dbt" / context.run.run_id / label
    population = context.sources.population.replace("contract", "")
    state = build_state(context.warehouse, settings, stage, days, population)
    environment = context.warehouse.dbt_environment() | build_environment(settings, days) | state.environment()
    drop_leftovers(context.warehouse)
    in_place = [] if full_refresh else models_in_place(context.warehouse, state)
    tests = f"data tests {label}"
    if context.proofs.run_that_proved(tests, context.proofs.built(stage)):
        with_tests = False  # of the same tables, by a run that was stopped later
    arguments = build_arguments(
        settings, target_path=target, population=population,
        select=stage.select, exclude=in_place, full_refresh=full_refresh, with_tests=with_tests,
    )  # fmt: skip
    outcome = call_dbt(settings.dbt_project_dir, target, arguments, environment, node_tasks=settings.dbt_node_tasks)
    keep_parsed_project(settings, target)
    built = read_results(outcome, days)
    context.warehouse.record("dq_check_logs", built.check_rows(context.run, utc_now()))
    raise_if_failed(built)
    if with_tests:
        context.proofs.keep({tests: context.proofs.built(stage)}, utc_now())
    return built

"""Hand a segment to its team."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task

from regulars.errors import ConfigError
from regulars.run_days import landed_days
from regulars.segments.config import SegmentDefinition, read_segments
from regulars.segments.delivery import Delivered, deliver, ledger_row
from regulars.segments.holdout import record_holdouts
from regulars.segments.unload import open_dialect
from regulars.storage import open_storage
from tasks.context import RunContext, utc_now
from tasks.retry import RETRIED


@task(
    name="deliver",
    task_run_name="deliver {segment.name} {context.run.as_of}",
    timeout_seconds=2 * 3600,
    **RETRIED,
)
def deliver_segment(context: RunContext, segment: SegmentDefinition) -> Delivered:
    """Write full list, changes and manifest of one segment; an unchanged delivery is left as it is."""
    with context.step("deliver", segment.name) as facts:
        storage = open_storage(context.settings.delivery_root, context.settings.s3)
        delivered = deliver(
            segment, engine=context.warehouse, storage=storage, settings=context.settings, run=context.run
        )
        row = ledger_row(delivered, context.run, utc_now())
        context.warehouse.record_missing("deliveries", ["segment", "as_of", "revision"], [row])
        facts.update(status="done" if delivered.created else "known", revision=delivered.manifest.revision)
        return delivered


@task(name="hold out", task_run_name="hold out {context.run.as_of}", timeout_seconds=3600, **RETRIED)
def hold_out(context: RunContext, segments: Sequence[SegmentDefinition]) -> None:
    """Record whom the hold-out of each segment chooses, for the models that compare members with and without a delivery."""
    warehouse, as_of = context.warehouse, context.run.as_of
    record_holdouts(
        segments, engine=warehouse, sql=open_dialect(context.settings), key=context.settings.pseudonym_secret(),
        as_of=as_of, newest_day=max([as_of, *landed_days(warehouse, context.stages["segments"])]),
    )  # fmt: skip


def chosen_segments(context: RunContext, names: list[str] | None) -> list[SegmentDefinition]:
    """Definitions of the named segments, of all without names. Raises ConfigError for a name there is not."""
    definitions = read_segments(context.settings.dbt_project_dir / "models" / "segments", context.contracts)
    unknown = set(names or ()) - set(definitions)
    if unknown:
        raise ConfigError(
            f"there is no segment {', '.join(sorted(unknown))}", remedy=f"one of: {', '.join(sorted(definitions))}"
        )
    return [definition for name, definition in sorted(definitions.items()) if names is None or name in names]

"""What a run would do, found out without reading a source and without writing anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from regulars.errors import ConfigError, NoSuchFile, RegularsError
from regulars.landing import plan_extract
from regulars.manifest import day_manifests
from regulars.segments.config import read_segments
from regulars.sources.review_entry import place_of
from regulars.storage import open_storage
from regulars.warehouse.published import read_published
from tasks.context import RunContext, open_context
from tasks.sheets import sheets_of

MERGED = {"daily-loyalty-merge": "loyalty", "weekly-customer-analytics": "sales", "customer-engagement": "engagement"}
STAGES = {
    "daily-loyalty-merge": ("ingest", "transform", "segment"),
    "weekly-customer-analytics": ("ingest", "transform"),
    "customer-engagement": ("sheets", "ingest", "transform"),
    "ingest": ("ingest",),
    "transform": ("transform",),
    "segment": ("segment",),
}


def plan_flow(name: str, as_of: date | None, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Steps in order, each with `stage`, `what` in words, and the facts behind the words."""
    context = open_context(
        name, as_of, parameters.get("tables"), stage=MERGED.get(name), with_sheets="sheets" in STAGES[name]
    )
    parts = {"sheets": _plan_sheets, "ingest": _plan_ingest, "transform": _plan_transform, "segment": _plan_segment}
    return [step for part in STAGES[name] for step in parts[part](context, parameters)]


def _plan_sheets(context: RunContext, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for sheet in sheets_of(context):
        sources, place = context.sources.of_sheets, f"sheets.{sheet}"
        for read in plan_extract(context.sheets[sheet], sources, context.settings, context.run.as_of, entry=place):
            yield {"stage": "take in", "what": f"{sheet}: {_read_in_words(read)}", **read}
        yield {"stage": "map", "what": f"{sheet}: propose what new words and numbers mean", "table": sheet}
    if context.sources.review is not None:
        yield {"stage": "review", "what": f"take over what people decided in {place_of(context.sources.review)}"}
    yield {"stage": "gate", "what": "judge the sheets", "layer": "sheets"}
    yield {"stage": "stage", "what": "build dbt/operational in the store; rows that nobody has explained yet wait"}


def _plan_ingest(context: RunContext, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    storage = open_storage(context.settings.landing_root, context.settings.s3)
    day = context.run.as_of
    for table in context.tables:
        accepted = [manifest for manifest in day_manifests(storage, table, day) if manifest.is_accepted]
        if accepted and not parameters.get("refresh"):
            newest = accepted[-1]
            what = f"{table}: landed already, revision {newest.revision}, {newest.rows_loaded:,} rows"
            yield {"stage": "land", "table": table, "what": what, "batch_id": newest.batch_id}
            continue
        entry = context.sources.tables[table]
        if entry.mover is not None:
            what = f"{table}: have {entry.mover} run sync {entry.sync}, then read what is there; now that is"
            yield {"stage": "move", "table": table, "what": what, "mover": entry.mover, "sync": entry.sync}
        plan = plan_extract
        if entry.via is not None and context.settings.warehouse == "snowflake":
            from regulars.staged.plan import plan_staged as plan  # only who uses it installs what it imports
        try:
            reads = plan(context.contracts[table], context.sources, context.settings, day)
        except RegularsError as error:
            is_brought = entry.mover is not None and isinstance(error, NoSuchFile)
            if entry.required and not is_brought:
                raise
            what = f"{table}: {'' if is_brought else 'not required, and '}cannot be read now: {error.message}"
            yield {"stage": "land", "table": table, "what": what}
            continue
        for read in reads:
            yield {"stage": "land", "what": f"{table}: {_read_in_words(read)}", **read}
    yield {"stage": "gate", "what": f"judge raw for {day}", "layer": "raw"}


def _read_in_words(read: dict[str, Any]) -> str:
    """One read of a source: what, how much where that is known, and the window of events."""
    size = f", {read['bytes']:,} bytes" if "bytes" in read else ""
    window = f", events from {read['window'][0]} to {read['window'][1]} UTC" if read["window"] else ""
    return f"read {read.get('file') or read.get('source')} of {read['from']}{size}{window}"


def _plan_transform(context: RunContext, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    first, last = _built_until(context, MERGED.get(context.run.flow, parameters.get("stage", "loyalty")))
    day = context.run.as_of
    if parameters.get("rebuild") or last is None:
        what = f"build every landed day up to {max(day, last or day)}"
    else:
        what = f"build {min(day, last) if day <= last else day}..{max(day, last)} where batches changed (built so far: {first}..{last})"
    yield {"stage": "build", "what": what}
    yield {"stage": "gate", "what": "judge the marts; a block leaves everything published as it is", "layer": "marts"}
    settings = context.settings
    place = settings.published_path if settings.warehouse == "duckdb" else settings.snowflake.readers_database
    yield {"stage": "publish", "what": f"switch readers of marts and ops over in {place}"}


def _plan_segment(context: RunContext, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    chosen = parameters.get("segments")
    for name, definition in sorted(
        read_segments(context.settings.dbt_project_dir / "models" / "segments", context.contracts).items()
    ):
        if chosen is None or name in chosen:
            place = f"{context.settings.delivery_root}/{definition.folder}/as_of={context.run.as_of}"
            yield {
                "stage": "deliver",
                "what": f"{name} to {definition.delivery.team}: {', '.join(definition.delivery.formats)} below {place}",
                "segment": name,
            }
    yield {"stage": "publish", "what": "switch readers of segments and ops over"}


def _built_until(context: RunContext, stage: str) -> tuple[date | None, date | None]:
    try:
        with read_published(context.settings) as reader:
            ((first, last),) = reader.query(
                "select min(as_of), max(as_of) from ops.built_batches where stage = ?", [stage]
            )
            return first, last
    except ConfigError:  # nothing was published yet
        return None, None

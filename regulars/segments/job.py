"""One delivery under way, and what it asks the warehouse before anything is written."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from regulars.errors import ConfigError, ContractError
from regulars.segments import selection
from regulars.segments.config import MEMBER, SegmentDefinition
from regulars.segments.manifest import Published
from regulars.segments.selection import Selection
from regulars.segments.unload import Dialect, Unloader
from regulars.storage import Storage


@dataclass(frozen=True)
class Job:
    """What a delivery works with; `spool` is an empty local folder of its own."""

    segment: SegmentDefinition
    as_of: date
    engine: Unloader
    sql: Dialect
    storage: Storage
    spool: Path


def column_types(job: Job) -> dict[str, str]:
    """Types of the delivered columns, in order. Raises ConfigError where the model, history or a column is missing."""
    segment, consent = job.segment, job.segment.delivery.consent
    found = {**_relation(job, "segments", segment.name), **segment.personal_columns}
    if missing := [name for name in (*segment.delivered_columns, "snapshot_date") if name not in found]:
        raise ConfigError(
            f"segment {segment.name}: the model has no column {', '.join(missing)}",
            remedy="select it in the model, or take it from config.meta.delivery.columns",
        )
    if consent and _relation(job, "marts", "loyalty_history").get(consent) != "boolean":
        raise ConfigError(
            f"segment {segment.name}: consent {consent} is no boolean column of marts.loyalty_history",
            remedy="name a tracked consent column: today's consent must be known of whoever left the segment, too",
        )
    return {name: found[name] for name in segment.delivered_columns}


def newest_day(job: Job) -> date:
    """The newest landed day, whose consents apply. Raises ConfigError where `as_of` lies outside of the landed days."""
    ((first, newest),) = job.engine.query("select min(as_of), max(as_of) from ops.effective_batches")
    if first is None or not first <= job.as_of <= newest:
        raise ConfigError(
            f"segment {job.segment.name}: nothing is known of {job.as_of}; landed days run from {first} to {newest}",
            remedy="land and build that day, or ask for one of these",
        )
    day: date = newest
    return day


def profile_day(job: Job) -> date | None:
    """The day whose profile batch holds the personal data of the day asked for; None where none is delivered."""
    if not job.segment.personal_columns or job.segment.population is None:
        return None
    table = job.segment.population.table
    ((day,),) = job.engine.query(
        "select max(as_of) from ops.effective_batches where table_name = ? and as_of <= ?", [table, job.as_of]
    )
    if day is None:
        raise ConfigError(
            f"segment {job.segment.name} delivers personal data, but raw.{table} has no batch up to {job.as_of}",
            remedy=f"land {table} for that day, or drop its columns from personal_data",
        )
    found: date = day
    return found


def load_previous(job: Job, previous: Published) -> None:
    """Fill `delivery_previous` from the smallest full file. Raises ContractError where it is not the published one."""
    file = min((file for file in previous.manifest.files if file.role == "full"), key=lambda file: file.bytes)
    path = f"{previous.folder}/{file.name}"
    content = job.storage.read_bytes(path)
    rows = None
    if hashlib.sha256(content).hexdigest() == file.sha256:
        local = job.spool / f"previous.{file.format}"
        local.write_bytes(content)
        source = job.engine.import_file(local, [name for name, _ in previous.manifest.columns], file.format)
        job.engine.execute(selection.previous_sql(source, file.format == "csv", job.sql))
        ((rows,),) = job.engine.query(f"select count(*) from {selection.PREVIOUS}")
    if rows != previous.manifest.rows:
        raise ContractError(
            f"{path} is not the file that its manifest names", remedy="restore it: deliveries are never edited"
        )


def select_members(job: Job, asked: Selection) -> None:
    """Fill `delivery_members`, with the key in the session. Raises ContractError where a member is repeated."""
    job.engine.execute(selection.members_sql(asked, job.sql))
    ((excess,),) = job.engine.query(job.sql.misplaced(selection.MEMBERS, MEMBER))
    if excess:
        raise ContractError(
            f"segment {job.segment.name} on {job.as_of}: {excess} rows are without {MEMBER} or repeat a member",
            remedy=f"let the model return each {MEMBER} once per snapshot_date; look for overlaps in history",
        )


def _relation(job: Job, schema: str, name: str) -> dict[str, str]:
    rows = job.engine.query(job.sql.columns(), [schema, name])
    if not rows:
        raise ConfigError(f"{schema}.{name} does not exist in the warehouse", remedy="build the models first")
    return dict(rows)

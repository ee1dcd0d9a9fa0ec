"""Deliveries: a segment's full list and its changes as files, published by a manifest that is written last."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from regulars.run import Run, code_version
from regulars.segments import selection
from regulars.segments.config import SegmentDefinition
from regulars.segments.files import export_changes, export_full
from regulars.segments.holdout import key_in_session
from regulars.segments.job import (
    Job,
    column_types,
    load_previous,
    newest_day,
    profile_day,
    select_members,
)
from regulars.segments.manifest import (
    MANIFEST,
    DeliveredFile,
    DeliveryManifest,
    Published,
    delivery_folder,
    latest_manifest,
    newest_revision,
)
from regulars.segments.selection import Selection
from regulars.segments.unload import Unloader, open_dialect
from regulars.settings import Settings
from regulars.spool import open_spool
from regulars.storage import Storage


@dataclass(frozen=True)
class Delivered:
    """What is published for the day; `created` is False where it already was, and nothing was written."""

    published: Published
    created: bool

    @property
    def manifest(self) -> DeliveryManifest:
        return self.published.manifest


def deliver(
    segment: SegmentDefinition,
    *,
    engine: Unloader,
    storage: Storage,
    settings: Settings,
    run: Run,
    as_of: date | None = None,
) -> Delivered:
    """Publish the members of `segment` on `as_of` (default: the run's) below `segment.folder` of `storage`.

    Equal members under an equal definition are not published again; different ones become the next revision. Counts on
    the run's lock: two deliveries of one segment at once are not for this function to sort out. Raises ConfigError
    where model, columns or day do not exist, ContractError where members repeat or an earlier delivery is damaged.
    """
    day = as_of or run.as_of
    with open_spool(settings) as spool:
        job = Job(segment, day, engine, open_dialect(settings), storage, spool)
        # One transaction: members, changes and counts are of one state of the warehouse.
        with key_in_session(engine, job.sql, settings.pseudonym_secret()), engine.transaction():
            delivered = _deliver(job)
            for table in (selection.MEMBERS, selection.PREVIOUS, selection.LEFT):
                engine.execute(f"drop table if exists {table}")
    return delivered


def ledger_row(delivered: Delivered, run: Run, delivered_at: datetime) -> dict[str, Any]:
    """The row of `ops.deliveries`, key (segment, as_of, revision); the caller inserts it where it is missing."""
    manifest = delivered.manifest
    return {
        "segment": manifest.segment,
        "team": manifest.team,
        "as_of": manifest.as_of,
        "revision": manifest.revision,
        "rows": manifest.rows,
        "entered": manifest.entered,
        "left_count": manifest.left,
        "files": len(manifest.files),
        "bytes": sum(file.bytes for file in manifest.files),
        "manifest": f"{delivered.published.folder}/{MANIFEST}",
        "manifest_sha256": delivered.published.sha256,
        "definition_hash": manifest.definition_hash,
        "run_id": run.run_id,
        "delivered_at": delivered_at,
    }


def _deliver(job: Job) -> Delivered:
    previous = latest_manifest(job.storage, job.segment, before=job.as_of)
    asked = Selection(
        job.segment, job.as_of, newest_day(job), profile_day(job), column_types(job), previous is not None
    )
    if previous:
        load_previous(job, previous)
    select_members(job, asked)
    standing = newest_revision(job.storage, job.segment, job.as_of)
    full = export_full(job, asked, standing.manifest if standing else None)
    if standing and full is None:
        return Delivered(standing, created=False)
    files = [*(full or []), *export_changes(job, asked, full or [])]
    revision = standing.manifest.revision + 1 if standing else 1
    return Delivered(_publish(job, _manifest(job, asked, files, previous, revision)), created=True)


def _manifest(
    job: Job, asked: Selection, files: list[DeliveredFile], previous: Published | None, revision: int
) -> DeliveryManifest:
    segment, delivery = job.segment, job.segment.delivery
    groups = dict(job.engine.query(f"select withheld, count(*) from {selection.MEMBERS} group by withheld"))
    reasons = job.engine.query(f"select reason, count(*) from {selection.LEFT} group by reason") if previous else []
    ((version,),) = job.engine.query(f"select {job.sql.version}")
    rows = {file.role: file.rows for file in files}
    return DeliveryManifest(
        segment=segment.name,
        team=delivery.team,
        definition_hash=segment.definition_hash,
        as_of=job.as_of,
        revision=revision,
        previous=previous.as_previous if previous else None,
        members=sum(groups.values()),
        rows=rows["full"],
        entered=rows["entered"],
        left=rows["left"],
        left_by_reason=dict(sorted(reasons)),
        withheld={reason: groups[reason] for reason in selection.REASONS if reason in groups},
        consent=delivery.consent,
        consent_as_of=asked.newest_day,
        holdout_pct=delivery.holdout_pct,
        held_out=groups.get("held_out", 0),
        personal_data=delivery.personal_data,
        columns=tuple(asked.types.items()),
        files=tuple(files),
        engine=job.sql.name,
        engine_version=version,
        code_version=code_version(),
    )


def _publish(job: Job, manifest: DeliveryManifest) -> Published:
    folder = delivery_folder(job.segment, manifest.as_of, manifest.revision)
    job.storage.delete_tree(folder)  # what a killed run left there was never published
    for file in manifest.files:
        job.storage.put_file(job.spool / file.name, f"{folder}/{file.name}")
    content = manifest.to_bytes()
    job.storage.write_bytes(f"{folder}/{MANIFEST}", content)
    return Published(folder=folder, manifest=manifest, sha256=hashlib.sha256(content).hexdigest())

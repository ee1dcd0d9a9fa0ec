"""The manifest of a delivery: written last, so that a delivery without one was never published."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from regulars.errors import ContractError
from regulars.segments.config import Format, Policy, SegmentDefinition
from regulars.storage import Storage

MANIFEST = "manifest.json"
Role = Literal["full", "entered", "left"]


class DeliveredFile(BaseModel):
    """One file; `cells_neutralised` counts text cells of a CSV that got an apostrophe against formulas."""

    model_config = ConfigDict(frozen=True)

    name: str
    role: Role
    format: Format
    rows: int
    bytes: int
    sha256: str
    cells_neutralised: int = 0


class PreviousDelivery(BaseModel):
    """The delivery that `entered` and `left` are counted against; `sha256` is that of its manifest's bytes."""

    model_config = ConfigDict(frozen=True)

    as_of: date
    revision: int
    sha256: str


class DeliveryManifest(BaseModel):
    """Facts of one delivery. `members = rows + sum(withheld)`; nothing in it depends on the clock.

    `consent_as_of` is the newest landed day: consents and erasures of that day were applied.
    """

    model_config = ConfigDict(frozen=True)

    segment: str
    team: str
    definition_hash: str
    as_of: date
    revision: int
    previous: PreviousDelivery | None
    members: int
    rows: int
    entered: int
    left: int
    left_by_reason: dict[str, int]
    withheld: dict[str, int]
    consent: str | None
    consent_as_of: date
    holdout_pct: float
    held_out: int
    personal_data: dict[str, Policy]
    columns: tuple[tuple[str, str], ...]
    files: tuple[DeliveredFile, ...]
    engine: str
    engine_version: str
    code_version: str

    def file(self, role: Role, kind: Format) -> DeliveredFile | None:
        return next((file for file in self.files if (file.role, file.format) == (role, kind)), None)

    def to_bytes(self) -> bytes:
        return (self.model_dump_json(indent=1) + "\n").encode()


class Published(BaseModel):
    """A manifest as it stands in a storage, with its folder and the digest of its bytes."""

    model_config = ConfigDict(frozen=True)

    folder: str
    manifest: DeliveryManifest
    sha256: str

    @property
    def as_previous(self) -> PreviousDelivery:
        return PreviousDelivery(as_of=self.manifest.as_of, revision=self.manifest.revision, sha256=self.sha256)


def delivery_folder(segment: SegmentDefinition, as_of: date, revision: int) -> str:
    return f"{segment.folder}/as_of={as_of.isoformat()}/rev={revision}"


def latest_manifest(storage: Storage, segment: SegmentDefinition, before: date | None = None) -> Published | None:
    """The highest revision of the newest published day, of those before `before` if it is given."""
    days = sorted(_numbered(storage, segment.folder, "as_of="), reverse=True)
    for day in map(date.fromisoformat, days):
        if (before is None or day < before) and (found := newest_revision(storage, segment, day)):
            return found
    return None


def newest_revision(storage: Storage, segment: SegmentDefinition, as_of: date) -> Published | None:
    """The highest published revision of one day. Raises ContractError where its manifest is not what it should be."""
    revisions = _numbered(storage, f"{segment.folder}/as_of={as_of.isoformat()}", "rev=")
    for revision in sorted(map(int, revisions), reverse=True):
        folder = delivery_folder(segment, as_of, revision)
        if storage.exists(f"{folder}/{MANIFEST}"):
            return _read(storage, folder, segment.name, as_of, revision)
    return None


def _numbered(storage: Storage, folder: str, prefix: str) -> list[str]:
    return [name.removeprefix(prefix) for name in storage.names(folder) if name.startswith(prefix)]


def _read(storage: Storage, folder: str, segment: str, as_of: date, revision: int) -> Published:
    content = storage.read_bytes(f"{folder}/{MANIFEST}")
    try:
        manifest = DeliveryManifest.model_validate_json(content)
    except ValueError:
        raise ContractError(
            f"{folder}/{MANIFEST} is not a manifest", remedy="restore it: deliveries are never edited"
        ) from None
    if (manifest.segment, manifest.as_of, manifest.revision) != (segment, as_of, revision):
        raise ContractError(
            f"{folder}/{MANIFEST} describes another delivery", remedy="restore it: deliveries are never moved"
        )
    return Published(folder=folder, manifest=manifest, sha256=hashlib.sha256(content).hexdigest())

"""The manifest of a landed batch: written last, so that a batch without one does not exist."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from regulars.batches import Batch, Scope
from regulars.errors import ContractError
from regulars.storage import Storage

MANIFEST = "manifest.json"


class Part(BaseModel):
    """One Parquet file of a batch; `source` is the file or table its rows were read from. `sha256` is empty for a file that
    Snowflake wrote: no worker has read it."""

    model_config = ConfigDict(frozen=True)

    name: str
    source: str
    rows: int
    bytes: int
    sha256: str


class Verdict(BaseModel):
    """What the guards said when the batch was landed. `overridden` was blocked and accepted by a person."""

    model_config = ConfigDict(frozen=True)

    status: Literal["accepted", "blocked", "overridden"] = "accepted"
    reasons: tuple[str, ...] = ()
    compared_batches: int = 0
    expected_rows: float | None = None
    keys_gone_pct: float | None = None


class Manifest(BaseModel):
    """Facts of one batch. `rows_read = rows_loaded + rows_quarantined + rows_duplicate`; filtered rows are apart.

    `filled` counts the values (not null) of each contract column that has any; batches landed by older versions have
    none."""

    model_config = ConfigDict(frozen=True)

    table: str
    as_of: date
    revision: int
    scope: Scope
    content: str
    batch_id: str
    parts: tuple[Part, ...]
    rejects: tuple[Part, ...] = ()
    replays: tuple[Part, ...] = ()
    rows_read: int
    rows_loaded: int
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    rows_filtered: int = 0
    rejects_by_rule: dict[str, int] = {}
    columns: tuple[tuple[str, str], ...]
    filled: dict[str, int] = {}
    position: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    verdict: Verdict = Verdict()
    contract: str
    settings: str
    code_version: str
    landed_at: datetime

    @property
    def batch(self) -> Batch:
        return Batch(self.table, self.as_of, self.revision, self.scope, self.content)

    @property
    def folder(self) -> str:
        """Place of the batch below the landing root."""
        return batch_folder(self.table, self.as_of, self.batch_id)

    @property
    def bytes(self) -> int:
        return sum(part.bytes for part in self.parts)

    @property
    def is_accepted(self) -> bool:
        return self.verdict.status != "blocked"


def batch_folder(table: str, as_of: date, batch_id: str) -> str:
    return f"{table}/as_of={as_of.isoformat()}/{batch_id}"


def commit_batch(storage: Storage, manifest: Manifest, files: Mapping[str, Path]) -> None:
    """Put the files (by name; they are moved) of a new batch in their place and write its manifest, last."""
    if not storage.exists(f"{manifest.folder}/{MANIFEST}"):
        storage.delete_tree(manifest.folder)  # what a killed run left there never was a batch
    for name, path in files.items():
        storage.put_file(path, f"{manifest.folder}/{name}")
    write_manifest(storage, manifest)


def write_manifest(storage: Storage, manifest: Manifest) -> None:
    storage.write_bytes(f"{manifest.folder}/{MANIFEST}", manifest.model_dump_json(indent=1).encode())


def read_manifest(storage: Storage, folder: str) -> Manifest:
    """The manifest in `folder`. Raises ContractError where it is not the manifest of that folder."""
    try:
        manifest = Manifest.model_validate_json(storage.read_bytes(f"{folder}/{MANIFEST}"))
    except ValueError:
        raise ContractError(
            f"{folder}/{MANIFEST} is not a manifest", remedy="move the folder away and land that day again"
        ) from None
    if manifest.folder != folder or manifest.batch.batch_id != manifest.batch_id:
        raise ContractError(
            f"{folder}/{MANIFEST} describes another batch", remedy="landings are never moved or edited: restore it"
        )
    return manifest


def landed_days(storage: Storage, table: str) -> list[date]:
    """Business dates for which the landing of `table` holds anything, ascending."""
    return [date.fromisoformat(name[6:]) for name in storage.names(table) if name.startswith("as_of=")]


def committed_folders(storage: Storage, table: str, as_of: date, skip: Set[str] = frozenset()) -> list[str]:
    """Folders of the batches of one day that have a manifest, but those whose identifier is in `skip`."""
    return _day_folders(storage, table, as_of, skip)[0]


def remove_unfinished(storage: Storage, table: str, as_of: date) -> None:
    """Remove folders of one day that a killed run left without a manifest: they never were batches."""
    for folder in _day_folders(storage, table, as_of, frozenset())[1]:
        storage.delete_tree(folder)


def _day_folders(storage: Storage, table: str, as_of: date, skip: Set[str]) -> tuple[list[str], list[str]]:
    """Folders of a day with a manifest, and those without."""
    day = f"{table}/as_of={as_of.isoformat()}"
    folders = [f"{day}/{name}" for name in storage.names(day) if name not in skip]
    committed = [folder for folder in folders if storage.exists(f"{folder}/{MANIFEST}")]
    return committed, [folder for folder in folders if folder not in committed]


def day_manifests(storage: Storage, table: str, as_of: date) -> list[Manifest]:
    """Manifests of one table and day, by revision."""
    found = [read_manifest(storage, folder) for folder in committed_folders(storage, table, as_of)]
    return sorted(found, key=lambda manifest: (manifest.revision, manifest.batch_id))


def committed_manifests(
    storage: Storage, table: str, skip: set[str], *, remove_unfinished: bool = False
) -> list[Manifest]:
    """Manifests of every landed batch of `table` but those whose identifier is in `skip`, by day and revision.

    `remove_unfinished`: folders without a manifest, which killed runs left, go; only for who is the only writer.
    """
    found = []
    for day in landed_days(storage, table):
        committed, unfinished = _day_folders(storage, table, day, skip)
        found += [read_manifest(storage, folder) for folder in committed]
        for folder in unfinished if remove_unfinished else ():
            storage.delete_tree(folder)
    return sorted(found, key=lambda manifest: (manifest.as_of, manifest.revision, manifest.batch_id))

"""The one oracle: what a home holds, and every way in which it can differ from an undisturbed one."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb

from chaos.fingerprint import (
    Fingerprint,
    differences,
    fingerprint,
    repeated_batches,
    run_fingerprint,
    unbalanced_batches,
)
from regulars.contracts import read_contracts
from regulars.manifest import Manifest
from regulars.segments.manifest import DeliveryManifest
from regulars.settings import Settings, load_settings
from regulars.storage import open_storage
from regulars.warehouse import open_warehouse
from regulars.warehouse.duckdb_publish import read_published

Check = Literal["tables", "records", "balance", "ledger", "published", "files", "locks", "processes", "rerun", "run"]
WRONG_TABLES: tuple[Check, ...] = ("tables", "records", "balance", "ledger", "published", "rerun", "run")
# Of these each run leaves its own, named after it or its time: which ones there are says nothing about a fault.
OF_RUNS = re.compile(r"(logs|prefect|postgres|data_docs/\.checks|data_docs/validations|dbt/[0-9a-f-]{36})(/|$)")


@dataclass(frozen=True)
class Finding:
    """What is wrong, and which check saw it."""

    check: Check
    text: str


@dataclass(frozen=True)
class State:
    """A home as it stands: digests of tables and of files, and what is wrong with it by itself."""

    tables: Fingerprint
    records: Fingerprint
    files: dict[str, str]
    wrong: tuple[Finding, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)


def compare(found: State, expected: State, *, out_of_order: bool = False) -> list[Finding]:
    """Everything that is wrong with `found`.

    `out_of_order`: days were run in another order than in `expected`, so lists of changes in deliveries, and what was
    recorded while running, may differ; everything else may not.
    """
    deliveries = ("ops.deliveries", "deliveries/") if out_of_order else ("\0",)
    lines = [Finding("tables", line) for line in differences(found.tables, expected.tables)]
    if not out_of_order:
        lines += [Finding("records", line) for line in differences(found.records, expected.records)]
    for path in sorted({*found.files, *expected.files}):
        if found.files.get(path) != expected.files.get(path):
            side = "is not in an undisturbed run" if path not in expected.files else (
                "is missing" if path not in found.files else "has other bytes"
            )  # fmt: skip
            lines.append(Finding("files", f"{path} {side}"))
    return [*found.wrong, *(line for line in lines if not line.text.startswith(deliveries))]


def unchanged(before: State, after: State) -> list[Finding]:
    """A rerun of what is whole must change nothing: same rows, same files, same bytes."""
    return [Finding("rerun", finding.text) for finding in compare(after, before)]


def take_state(home: Path, temporary: Path) -> State:
    """Read everything below `home` and the storage of its landings and deliveries; settings are the environment's."""
    settings = load_settings()
    locks = stuck_locks(home)
    if locks:
        return State({}, {}, {}, tuple(locks))
    contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(contracts)
        tables, records = fingerprint(warehouse), run_fingerprint(warehouse)
        wrong = [Finding("balance", f"batch {found}") for found in unbalanced_batches(warehouse)]
        wrong += [
            Finding("ledger", f"batch {found} is in the ledger more than once") for found in repeated_batches(warehouse)
        ]
        loaded = {
            batch_id
            for (batch_id,) in warehouse.query(
                "select batch_id from ops.ingestion_logs where status in ('loaded', 'retired')"
            )
        }
        delivered = {manifest for (manifest,) in warehouse.query("select manifest from ops.deliveries")}
    wrong += published_differs(settings, tables)
    wrong += landing_differs(settings, loaded)
    wrong += deliveries_differ(settings, delivered)
    files = listed(home, OF_RUNS) | {f"tmp/{path}": digest for path, digest in listed(temporary, None).items()}
    for root in (settings.landing_root, settings.delivery_root):
        if root.startswith("s3://"):
            files |= {f"{root}/{path}": digest for path, digest in object_digests(settings, root).items()}
    return State(tables, records, files, tuple(wrong))


def published_differs(settings: Settings, tables: Fingerprint) -> list[Finding]:
    """published.duckdb must hold what the warehouse holds of marts and segments, and the ledgers."""
    if not settings.published_path.exists():
        return [Finding("published", "nothing is published")]
    try:
        with read_published(settings.published_path) as reader:
            published = fingerprint(_Ledgers(reader))
    except duckdb.Error as error:
        return [Finding("published", f"published.duckdb cannot be read: {error}")]
    del published["quarantine.rows"]  # not for readers, and not there
    kept = {name: rows for name, rows in tables.items() if name in published}
    missing = {name for name in tables if name.startswith(("marts.", "segments."))} - set(published)
    return [Finding("published", line) for line in differences(published, kept)] + [
        Finding("published", f"{name} is not published") for name in sorted(missing)
    ]


class _Ledgers:
    """The published copy for `fingerprint`: it has no quarantine, which is not for its readers."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        if "quarantine.rows" in sql:
            return [(0, 0)]
        found: list[tuple[Any, ...]] = self._reader.query(sql)
        return found


def landing_differs(settings: Settings, loaded: set[str]) -> list[Finding]:
    """Landing folders hold exactly what their manifests name, and the ledger knows each of them."""
    wrong = []
    for folder, content in folders(settings, settings.landing_root):
        if "manifest.json" not in content:
            wrong.append(Finding("files", f"landing/{folder} has no manifest"))
            continue
        manifest = Manifest.model_validate_json(content.pop("manifest.json"))
        named = {part.name: part.sha256 for part in (*manifest.parts, *manifest.rejects, *manifest.replays)}
        wrong += _compare_files(f"landing/{folder}", content, named)
        if manifest.is_accepted and manifest.batch_id not in loaded:
            wrong.append(Finding("ledger", f"landing/{folder} is no batch of the ledger"))
        loaded = loaded - {manifest.batch_id}
    return wrong + [Finding("files", f"batch {batch_id} of the ledger is not landed") for batch_id in sorted(loaded)]


def deliveries_differ(settings: Settings, delivered: set[str]) -> list[Finding]:
    """Delivery folders hold exactly what their manifests name, and the ledger knows each of them."""
    wrong = []
    for folder, content in folders(settings, settings.delivery_root):
        if "manifest.json" not in content:
            wrong.append(Finding("files", f"deliveries/{folder} has no manifest"))
            continue
        manifest = DeliveryManifest.model_validate_json(content.pop("manifest.json"))
        wrong += _compare_files(f"deliveries/{folder}", content, {file.name: file.sha256 for file in manifest.files})
        if f"{folder}/manifest.json" not in delivered:
            wrong.append(Finding("ledger", f"deliveries/{folder} is not in ops.deliveries"))
        delivered = delivered - {f"{folder}/manifest.json"}
    return wrong + [Finding("files", f"{manifest} of ops.deliveries is not there") for manifest in sorted(delivered)]


def _compare_files(folder: str, content: dict[str, bytes], named: dict[str, str]) -> list[Finding]:
    held = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    return [
        Finding(
            "files",
            f"{folder}/{name} is {'not in the manifest' if name not in named else 'not what the manifest says'}",
        )
        for name in sorted({*held, *named})
        if held.get(name) != named.get(name)
    ]


def folders(settings: Settings, root: str) -> list[tuple[str, dict[str, bytes]]]:
    """Every folder with files (drafts too) below a root: its relative path, and names with contents."""
    found: dict[str, dict[str, bytes]] = {}
    if root.startswith("s3://"):
        for path, data in objects(settings, root).items():
            folder, _, name = path.rpartition("/")
            found.setdefault(folder, {})[name] = data
    else:
        for folder, below, names in os.walk(root):
            if names or not below:
                place = Path(folder)
                found[str(place.relative_to(root))] = {name: (place / name).read_bytes() for name in names}
    return sorted(found.items())


def objects(settings: Settings, root: str) -> dict[str, bytes]:
    """Objects of an S3 prefix, by relative key."""
    from pyarrow import fs

    storage: Any = open_storage(root, settings.s3)
    prefix = storage._key("")
    infos = storage._fs.get_file_info(fs.FileSelector(prefix, recursive=True, allow_not_found=True))
    keys = [info.path[len(prefix) + 1 :] for info in infos if info.is_file]
    return {key: storage.read_bytes(key) for key in keys}


def object_digests(settings: Settings, root: str) -> dict[str, str]:
    return {key: _digest(key, data) for key, data in objects(settings, root).items()}


def listed(root: Path, leave_out: re.Pattern[str] | None) -> dict[str, str]:
    """Files below `root` with digests where bytes must be equal from run to run, and empty folders."""
    found = {}
    for folder, below, names in os.walk(root):
        place = Path(folder).relative_to(root)
        below[:] = [name for name in below if not (leave_out and leave_out.match(str(place / name)))]
        if not below and not names and str(place) != ".":
            found[f"{place}/"] = ""
        for name in names:
            path = place / name
            if not (leave_out and leave_out.match(str(path))):
                found[str(path)] = _digest(str(path), (root / path).read_bytes()) if _is_data(str(path)) else ""
    return found


def _is_data(path: str) -> bool:
    return path.startswith(("landing/", "deliveries/"))


def _digest(path: str, data: bytes) -> str:
    """Manifests of landings say when they were landed; everything else is equal byte by byte."""
    if path.endswith("manifest.json") and b"landed_at" in data:
        facts = json.loads(data) | {"landed_at": ""}
        data = json.dumps(facts, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def stuck_locks(home: Path) -> list[Finding]:
    """Locks that somebody still holds although no run is under way."""
    wrong = []
    warehouse = home / "warehouse.duckdb"
    if warehouse.exists():
        try:
            duckdb.connect(str(warehouse)).close()
        except duckdb.IOException as error:
            wrong.append(Finding("locks", f"warehouse.duckdb: {str(error).splitlines()[0]}"))
    for path in home.glob(".*.lock"):
        with open(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                wrong.append(Finding("locks", f"{path.name} is held"))
    return wrong

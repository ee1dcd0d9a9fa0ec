"""What lies in folders and on S3, against what manifests and ledgers say lies there."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from chaos.findings import Finding
from regulars.manifest import Manifest
from regulars.segments.manifest import DeliveryManifest
from regulars.settings import Settings
from regulars.storage import open_storage


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
    return path.startswith(("landing/", "deliveries/", "findings/", "charts/"))


def _digest(path: str, data: bytes) -> str:
    """Manifests of landings say when they were landed, findings which run found them; all else is equal byte by byte."""
    own = "landed_at" if path.endswith("manifest.json") else "run_id" if path.startswith("findings/") else None
    if own and own.encode() in data:
        facts = json.loads(data) | {own: ""}
        data = json.dumps(facts, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()

"""A table whose files lie on S3, landed by a worker and by way of a stage, to be compared."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import duckdb
import emulator
import stage_files

from regulars.contracts import Contract
from regulars.engine import allow_s3, quote
from regulars.landing import Landed, land
from regulars.manifest import Manifest
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources.config import Sources
from regulars.staged.landing import land_staged
from regulars.storage import open_storage
from regulars.warehouse import open_warehouse

DAY = date(2026, 1, 5)
BUCKET, FOLDER = "landing", "exports/clicks"
TYPES = ["varchar", "bigint", "decimal(9,2)", "double", "boolean", "date", "timestamp"]


def contract(columns: dict[str, Any], **changes: Any) -> Contract:
    """Columns by name: a type, or the facts of one."""
    facts = [
        {"name": name, "description": "x", **(given if isinstance(given, dict) else {"data_type": given})}
        for name, given in columns.items()
    ]
    plain = {"source": "web", "table": "clicks", "description": "x", "owner": "x", "mode": "snapshot", "key": ("id",)}
    return Contract(**{**plain, "columns": facts, **changes})


@dataclass
class Lake:
    """Files on S3 and the settings to land them with."""

    settings: Settings
    table: Contract = field(default_factory=lambda: contract({"id": "bigint", "name": "varchar"}))

    def put(self, name: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        stage_files.s3.put_object(
            Bucket=BUCKET, Key=f"{FOLDER}/{name}", Body=gzip.compress(data, mtime=0) if name.endswith(".gz") else data
        )

    def sources(self, via: str | None, **entry: Any) -> Sources:
        options = {"options": {"endpoint": self.settings.s3.endpoint}} if via is None else {}
        return Sources.model_validate(
            {
                "connections": {"lake": {"kind": "files", "path": f"s3://{BUCKET}/{FOLDER}", **options}},
                "tables": {"clicks": {"from": "lake", "via": via, "path": "{as_of}/*.csv*", **entry}},
            }
        )

    def run(self, day: date = DAY) -> Run:
        return Run("run-1", "ingest", day, datetime(2026, 1, 9, 6))

    def staged(self, day: date = DAY, refresh: bool = False, accept: bool = False, **entry: Any) -> Landed:
        """Landed by way of a stage, with a warehouse that was opened for it."""
        with open_warehouse(self.settings) as warehouse:
            warehouse.prepare({"clicks": self.table})
            return land_staged(
                self.table, self.sources("stage", **entry), self.settings, self.run(day), warehouse,
                refresh=refresh, accept=accept,
            )  # fmt: skip

    def ordinary(self, day: date = DAY, refresh: bool = False, **entry: Any) -> Manifest:
        """Landed by a worker, in a landing of its own."""
        elsewhere = self.settings.model_copy(update={"landing_url": None})
        return land(self.table, self.sources(None, **entry), elsewhere, self.run(day), refresh=refresh).manifest

    def rows(self, manifest: Manifest, settings: Settings | None = None) -> tuple[list[Any], list[Any]]:
        """Good rows and rejects of a batch, typed by its contract, in order of record."""
        storage = open_storage((settings or self.settings).landing_root, self.settings.s3)
        with duckdb.connect() as engine:
            if storage.root.startswith("s3://"):
                allow_s3(engine, self.settings.s3)
            columns = ", ".join(f'cast("{name}" as {kind})' for name, kind in self.table.landed_columns)

            def read(parts: Any, items: str) -> list[Any]:
                files = ", ".join(quote(storage.url(f"{manifest.folder}/{part.name}")) for part in parts)
                if not files:
                    return []
                source = f"read_parquet([{files}], filename = true, file_row_number = true, hive_partitioning = false)"
                return engine.execute(f"select {items} from {source} order by all").fetchall()

            good = read(manifest.parts, f"{columns}, coalesce(_record_number, file_row_number + 1)")
            bad = read(manifest.rejects, "source, record_number, rule, reason, raw")
        return good, [(*row[:4], as_json(row[4])) for row in bad]

    def same(self, **entry: Any) -> tuple[Manifest, list[Any], list[Any]]:
        """Land both ways; every row, record number, reject, rule, reason, raw form and count is the same."""
        staged, ordinary = self.staged(**entry).manifest, self.ordinary(**entry)
        elsewhere = self.settings.model_copy(update={"landing_url": None})
        (good, bad), (good_there, bad_there) = self.rows(staged), self.rows(ordinary, elsewhere)
        for here, there in ((good, good_there), (bad, bad_there)):
            ours, theirs = [row for row in here if row not in there], [row for row in there if row not in here]
            assert not ours and not theirs, f"only by the stage: {ours}\nonly by a worker: {theirs}"
            assert here == there
        counted = {"rows_read", "rows_loaded", "rows_quarantined", "rows_duplicate", "rows_filtered", "rejects_by_rule",
                   "filled", "columns", "notes", "verdict", "contract"}  # fmt: skip
        assert staged.model_dump(include=counted) == ordinary.model_dump(include=counted)
        return staged, good, bad


def as_json(raw: str | None) -> Any:
    with suppress(ValueError, TypeError):
        return json.loads(raw or "")
    return raw


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent while the body runs, once it has run; other tests see nothing of it: files name columns as they like."""
    kept, found = dict(emulator.sent), list[str]()
    emulator.sent.clear()
    try:
        yield found
    finally:
        found += emulator.sent
        emulator.sent.clear()
        emulator.sent.update(kept)

"""The one oracle: what a home holds, and every way in which it can differ from an undisturbed one."""

from __future__ import annotations

import fcntl
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from chaos.findings import Finding
from chaos.fingerprint import (
    Fingerprint,
    differences,
    fingerprint,
    repeated_batches,
    run_fingerprint,
    unbalanced_batches,
)
from chaos.stored import deliveries_differ, landing_differs, listed, object_digests
from regulars.contracts import read_contracts
from regulars.settings import Settings, load_settings
from regulars.warehouse import open_warehouse
from regulars.warehouse.duckdb_publish import read_published

LOADED = "select batch_id from ops.ingestion_logs where status in ('loaded', 'retired')"
READ = ("marts.", "segments.", "ops.deliveries")
# Of these each run leaves its own, named after it or its time: which ones there are says nothing about a fault.
OF_RUNS = re.compile(r"(logs|prefect|postgres|data_docs/\.checks|data_docs/validations|dbt/[0-9a-f-]{36})(/|$)")


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
    recorded while running (findings and pictures of all days but the newest, too), may differ; everything else may not.
    """
    deliveries = ("ops.deliveries", "deliveries/", *_of_earlier_days(expected)) if out_of_order else ("\0",)
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


def _of_earlier_days(state: State) -> list[str]:
    """Paths of findings and pictures of every day but the newest of each."""
    found = []
    for folder in ("findings/", "charts/"):
        paths = [path for path in sorted(state.files) if path.startswith(folder)]
        newest = paths[-1][: len(f"{folder}2026-01-05")] if paths else ""
        found += [path for path in paths if not path.startswith(newest)]
    return found


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
    wrong: list[Finding] = []
    tables, records = Fingerprint(), Fingerprint()
    loaded, delivered = set[str](), set[str]()
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(contracts)
        try:
            loaded = {batch_id for (batch_id,) in warehouse.query(LOADED)}
            delivered = {manifest for (manifest,) in warehouse.query("select manifest from ops.deliveries")}
            wrong += [Finding("ledger", f"batch {found}, more than once") for found in repeated_batches(warehouse)]
            wrong += [Finding("balance", f"batch {found}") for found in unbalanced_batches(warehouse)]
            tables, records = fingerprint(warehouse), run_fingerprint(warehouse)
        except duckdb.Error as error:
            wrong.append(Finding("tables", f"a table cannot be read: {str(error).splitlines()[0]}"))
    wrong += published_differs(settings, tables)
    wrong += landing_differs(settings, loaded)
    wrong += deliveries_differ(settings, delivered)
    files = listed(home, OF_RUNS) | {f"tmp/{path}": digest for path, digest in listed(temporary, None).items()}
    for root in (settings.landing_root, settings.delivery_root):
        if root.startswith("s3://"):
            files |= {f"{root}/{path}": digest for path, digest in object_digests(settings, root).items()}
    return State(tables, records, files, tuple(wrong))


def published_differs(settings: Settings, tables: Fingerprint) -> list[Finding]:
    """published.duckdb must hold what the warehouse holds of marts and segments, and the ledger of deliveries.

    Its other records are those of the moment of publication: what ends a run is recorded after it.
    """
    if not settings.published_path.exists():
        return []  # where it ought to be there, the list of files says so
    try:
        with read_published(settings.published_path) as reader:
            published = fingerprint(_Ledgers(reader))
    except duckdb.Error as error:
        return [Finding("published", f"published.duckdb cannot be read: {error}")]
    published = {name: rows for name, rows in published.items() if name.startswith(READ)}
    kept = {name: rows for name, rows in tables.items() if name in published}
    missing = {name for name in tables if name.startswith(READ)} - set(published)
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

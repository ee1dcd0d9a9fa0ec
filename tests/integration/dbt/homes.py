"""The whole library on made-up days without Prefect: sources are files, landings, ledger, days to build and dbt are real.

A damaged row has a sign before its moment or number, which quarantine catches; a fix is a mapping that takes signs away.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
from collections.abc import Collection, Iterable
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from regulars.landing import Landed, land
from regulars.quality.quarantine import replay
from regulars.run import Run
from regulars.build_state import build_state, models_in_place
from regulars.run_days import days_to_build, forget_built, remember_built
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources, TableSource
from regulars.storage import open_storage
from regulars.manifest import committed_manifests
from regulars.warehouse import open_warehouse
from tests.integration.dbt.dbt_calls import run_dbt
from tests.integration.dbt.landings import CONTRACTS, LOYALTY, STAGES, Batch, Row

KEY = "test-key"
SIGNS = ("!", "?")
BUILT = ("marts.user_daily_activity", "marts.loyalty_history", "marts.loyalty_master", "segments.membership")
CLOCK = datetime(2030, 1, 1)
STAGE = STAGES["loyalty"]


def damageable(table: str) -> str | None:
    """A column of the table in which a sign breaks the row: its first one that is no text."""
    return next((c.name for c in CONTRACTS[table].columns if c.data_type in ("timestamp", "date", "decimal(5,2)")), None)


def keyed(text: str | None) -> str | None:
    return None if text is None else hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def source_record(row: Row) -> Row:
    """The record a source would hold for a row: identifiers as people write them, in the place of their hashes."""
    record = dict(row)
    if "email_hash" in record:
        record["email"] = f" {record.pop('email_hash')}@Example.org"
        phone = record.pop("phone_hash")
        record["phone"] = phone and f"+49 ({sum(map(ord, phone))})"
    return record


def landed_row(row: Row) -> Row:
    """What the oracle is to know of a row: identifiers as keyed hashes, made here once more, without the library."""
    if "email_hash" not in row:
        return row
    phone = row["phone_hash"] and f"+49{sum(map(ord, row['phone_hash']))}"
    return {**row, "email_hash": keyed(f"{row['email_hash']}@example.org"), "phone_hash": keyed(phone)}


class Home:
    """One warehouse with its landings; `landed` is what the oracle is to know of them."""

    def __init__(
        self, folder: Path, zone: str = "UTC", population: str = "", chunk_days: int = 7, landing_url: str | None = None
    ) -> None:
        self.folder, self.zone, self.population = folder, zone, population
        self.settings = Settings(
            _env_file=None, home=folder / "home", pseudonym_key=KEY, timezone=zone, history_chunk_days=chunk_days,
            landing_url=landing_url,
        )  # fmt: skip
        self.landed: list[Batch] = []
        self.damaged: dict[tuple[str, date], list[tuple[str, Row]]] = {}
        self._stack = ExitStack()
        self.warehouse = self._stack.enter_context(open_warehouse(self.settings))
        self.warehouse.prepare(CONTRACTS)

    def over_same_landings(self, folder: Path, chunk_days: int = 7) -> Home:
        """An empty warehouse over the landings of this one."""
        return Home(folder, self.zone, self.population, chunk_days, self.settings.landing_root)

    def close(self) -> None:
        self._stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sources(self, fixed: Iterable[str] = ()) -> Sources:
        """Files of every day; signs in `fixed` are taken away by the mapping."""

        def source(table: str) -> TableSource:
            column = damageable(table)
            mapping = {column: f"ltrim({column}, '{''.join(fixed)}')"} if fixed and column else {}
            return TableSource.model_validate({"from": "files", "path": f"{table}/{{as_of}}.ndjson", "columns": mapping})

        files = Connection(kind="files", path=str(self.folder / "source"))
        return Sources(connections={"files": files}, tables={table: source(table) for table in CONTRACTS})

    def deliver(self, table: str, day: date, rows: Iterable[Row], signs: Iterable[str] = ()) -> None:
        """Put the day's file in its place; `signs` go round over the rows ('' leaves a row as it is)."""
        path = self.folder / "source" / table / f"{day}.ndjson"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows, column = list(rows), damageable(table)
        given = (list(signs) or [""]) if column else [""]
        self.damaged[table, day] = []
        with open(path, "w") as file:
            for number, row in enumerate(rows):
                record = source_record(row)
                sign = given[number % len(given)]
                if sign and column and record.get(column) is not None:
                    record[column] = f"{sign}{record[column]}"
                    self.damaged[table, day].append((sign, row))
                file.write(json.dumps(record, default=str) + "\n")
        broken = [id(row) for _, row in self.damaged[table, day]]
        self._good = [row for row in rows if id(row) not in broken]

    def land(self, table: str, day: date, rows: Iterable[Row], signs: Iterable[str] = ()) -> Landed:
        """Deliver and land; a changed file makes a revision, the same one nothing."""
        before = self.damaged.get((table, day), [])
        self.deliver(table, day, rows, signs)
        landed = land(CONTRACTS[table], self.sources(), self.settings, self._run(day), refresh=True, accept=True)
        if landed.created:
            self._load(table, landed, self._good)
            assert landed.manifest.rows_quarantined == len(self.damaged[table, day]), landed.manifest.rejects_by_rule
        else:
            self.damaged[table, day] = before
        return landed

    def replay(self, table: str, day: date, fixed: Iterable[str]) -> Landed | None:
        """Bring back the rows whose sign is in `fixed`."""
        waiting = self.damaged.get((table, day), [])
        back = [row for sign, row in waiting if sign in fixed]
        landed = replay(CONTRACTS[table], self.sources(fixed), self.settings, self._run(day), day)
        assert (landed is None) == (not back)
        if landed is not None:
            self._load(table, landed, back)
            self.damaged[table, day] = [(sign, row) for sign, row in waiting if sign not in fixed]
        return landed

    def build(self, requested: date | None = None, *, rebuild: bool = False) -> None:
        """Build what changed, in the chunks and with the marks of the library, as the task `build` does."""
        ((newest,),) = self.warehouse.query("select max(as_of) from ops.effective_batches")
        size = self.settings.history_chunk_days
        chunks = days_to_build(self.warehouse, STAGE, requested or newest, chunk_days=size, rebuild=rebuild)
        if rebuild:
            forget_built(self.warehouse, STAGE)
        for days in chunks:
            is_fresh = rebuild and days == chunks[0]
            state = build_state(self.warehouse, self.settings, STAGE, days, self.population)
            in_place = [] if is_fresh else models_in_place(self.warehouse, state)
            with pytest.MonkeyPatch.context() as environment:
                for name, value in state.environment().items():
                    environment.setenv(name, value)
                run_dbt(
                    self.settings.warehouse_path, days.as_of, days.first_day, timezone=self.zone, population=self.population,
                    arguments=(*LOYALTY, *(["--full-refresh"] if is_fresh else []), *(["--exclude", *in_place] if in_place else [])),
                )  # fmt: skip
            remember_built(self.warehouse, STAGE, days.as_of)

    def adopt(self, days: Collection[date]) -> None:
        """Take the landings of these days into the warehouse, whoever made them."""
        storage = open_storage(self.settings.landing_root, self.settings.s3)
        for table, contract in CONTRACTS.items():
            manifests = committed_manifests(storage, table, self.warehouse.known_batches(table))
            chosen = [manifest for manifest in manifests if manifest.as_of in days]
            self.warehouse.load(contract, chosen, self._run(max(days)), CLOCK)

    def rows(self, relation: str) -> list[Row]:
        table = self.warehouse.arrow(f"select * from {relation}")
        return table.to_pylist()

    def _load(self, table: str, landed: Landed, rows: Iterable[Row]) -> None:
        self.warehouse.load(CONTRACTS[table], [landed.manifest], self._run(landed.manifest.as_of), CLOCK)
        manifest = landed.manifest
        known = tuple(landed_row(row) for row in rows)
        self.landed.append(Batch(table, manifest.as_of, known, manifest.revision, manifest.scope))

    @staticmethod
    def _run(day: date) -> Run:
        return Run("run", "test", day, CLOCK)


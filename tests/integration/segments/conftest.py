"""A small warehouse with the relations that a delivery reads, and the YAML of one segment."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from regulars.contracts import read_contracts
from regulars.run import Run
from regulars.segments.config import SegmentDefinition, read_segments
from regulars.segments.delivery import Delivered, deliver
from regulars.segments.manifest import MANIFEST
from regulars.segments.unload import DuckDBUnloader
from regulars.settings import Settings
from regulars.storage import Storage, open_storage

FIRST = date(2026, 1, 5)
TABLES = """
create schema raw; create schema marts; create schema segments; create schema ops;
create table ops.effective_batches (table_name varchar, as_of date, batch_id varchar);
create table raw.user_profile (
    user_id varchar, email varchar, full_name varchar, updated_at timestamp, email_hash varchar,
    _as_of date, _batch_id varchar);
create table marts.loyalty_history (
    user_id varchar, marketing_consent boolean, is_deleted boolean, valid_from date, valid_to date);
create table main.members (
    snapshot_date date, user_id varchar, tier varchar, note varchar, score decimal(5, 2), visits bigint, last_on date);
create view segments.fans as select * from main.members;
"""
CONTRACT = {
    "name": "user_profile",
    "description": "Accounts.",
    "config": {
        "meta": {"key": ["user_id"], "mode": "snapshot", "event_time": "updated_at", "owner": "crm", "population": True}
    },
    "columns": [
        {"name": "user_id", "description": "Account.", "data_type": "varchar"},
        {"name": "email", "description": "Address.", "data_type": "varchar", "config": {"meta": {"pii": "email"}}},
        {"name": "full_name", "description": "Name.", "data_type": "varchar", "config": {"meta": {"pii": "name"}}},
        {"name": "updated_at", "description": "Changed.", "data_type": "timestamp"},
    ],
}
DELIVERY = {
    "team": "Marketing",
    "columns": ["user_id", "tier", "note", "score", "visits", "last_on"],
    "consent": "marketing_consent",
}


class Company:
    """Plays days: who is in the segment, who consents, who is gone; then delivers."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder, self.settings = folder, settings
        self.storage: Storage = open_storage(settings.delivery_root, settings.s3)
        self.connection = duckdb.connect(str(folder / "warehouse.duckdb"))
        self.connection.execute(TABLES)

    def land(self, day: date, users: dict[str, dict[str, Any]], revision: int = 1) -> None:
        """A profile batch of one day; `users` maps user_id to email, full_name."""
        batch = f"{day}-{revision}"
        self.connection.execute("delete from ops.effective_batches where as_of = ?", [day])
        self.connection.execute("insert into ops.effective_batches values ('user_profile', ?, ?)", [day, batch])
        for user, person in users.items():
            values = [
                user,
                person.get("email"),
                person.get("full_name"),
                datetime(2026, 1, 1),
                f"hash-{user}",
                day,
                batch,
            ]
            self.connection.execute("insert into raw.user_profile values (?, ?, ?, ?, ?, ?, ?)", values)

    def stand(self, *stretches: tuple[str, bool, bool, date, date | None]) -> None:
        """History of users: (user_id, consent, is_deleted, valid_from, valid_to), in place of what it had of them."""
        for user in {stretch[0] for stretch in stretches}:
            self.connection.execute("delete from marts.loyalty_history where user_id = ?", [user])
        for stretch in stretches:
            self.connection.execute("insert into marts.loyalty_history values (?, ?, ?, ?, ?)", stretch)

    def fill(self, day: date, *rows: tuple[Any, ...]) -> None:
        """The members of a day, in place of those it had: (user_id, tier, note, score, visits, last_on)."""
        self.connection.execute("delete from main.members where snapshot_date = ?", [day])
        for row in rows:
            padded = (*row, *[None] * (6 - len(row)))
            self.connection.execute("insert into main.members values (?, ?, ?, ?, ?, ?, ?)", [day, *padded])

    def welcome(self, *users: str) -> None:
        """Landed days FIRST to FIRST + 4 in which these users are there and consent."""
        for offset in range(5):
            self.land(FIRST + timedelta(days=offset), {user: {"email": f"{user}@example.com"} for user in users})
        for user in users:
            self.stand((user, True, False, FIRST, None))

    def segment(self, **delivery: Any) -> SegmentDefinition:
        models = self.folder / "models"
        models.mkdir(exist_ok=True)
        (models / "fans.sql").write_text("select * from {{ ref('loyalty_history_daily') }}\n")
        source = {"sources": [{"name": "dw_a", "description": "A.", "tables": [CONTRACT]}]}
        (models / "_dw_a__sources.yml").write_text(yaml.safe_dump(source))
        model = {"name": "fans", "config": {"meta": {"delivery": {**DELIVERY, **delivery}}}}
        (models / "_segments__models.yml").write_text(yaml.safe_dump({"models": [model]}, sort_keys=False))
        return read_segments(models, read_contracts(models))["fans"]

    def deliver(self, day: date = FIRST, storage: Storage | None = None, **delivery: Any) -> Delivered:
        run = Run("run-1", "segment", day, datetime(2026, 1, 9, 3))
        with DuckDBUnloader(self.connection) as engine:
            return deliver(
                self.segment(**delivery),
                engine=engine,
                storage=storage or self.storage,
                settings=self.settings,
                run=run,
            )

    def read(self, delivered: Delivered, name: str) -> bytes:
        return self.storage.read_bytes(f"{delivered.published.folder}/{name}")

    def rows(self, delivered: Delivered, name: str) -> list[list[str]]:
        """Cells of a delivered CSV without its header, by a reader that is not the engine's."""
        return list(csv.reader(io.StringIO(self.read(delivered, name).decode(), newline=""), strict=True))[1:]

    def users(self, delivered: Delivered, name: str = "full.csv") -> list[str]:
        return [row[0] for row in self.rows(delivered, name)]

    def everything(self) -> dict[str, bytes]:
        """All delivered files."""
        root = Path(self.storage.root)
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}

    def published(self) -> list[str]:
        return [path.rsplit("/", 1)[0] for path in self.everything() if path.endswith(MANIFEST)]


@pytest.fixture
def new_company(tmp_path: Path) -> Iterator[Callable[..., Company]]:
    made: list[Company] = []

    def make(name: str = "home", **settings: Any) -> Company:
        folder = tmp_path / name
        folder.mkdir()
        values = {"home": folder / "home", "pseudonym_key": "test key", "delivery_url": None, **settings}
        made.append(Company(folder, Settings(_env_file=None, **values)))
        return made[-1]

    yield make
    for company in made:
        company.connection.close()


@pytest.fixture
def company(new_company: Callable[..., Company]) -> Company:
    return new_company()

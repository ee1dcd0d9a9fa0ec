"""A place to land in: contracts and sources made in the test, everything else real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from regulars.contracts import Column, Contract
from regulars.landing import Landed, land
from regulars.manifest import Manifest
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources, TableSource

DAY = date(2026, 1, 25)


@dataclass
class Place:
    """Lands the table `people` from files below `folder`."""

    folder: Path
    settings: Settings

    def contract(self, **changes: Any) -> Contract:
        columns = (
            Column(name="id", data_type="bigint", description="key"),
            Column(name="email", data_type="varchar", description="mail", pii="email"),
            Column(name="amount", data_type="decimal(7,2)", description="money", min=0, max=1000),
            Column(name="born_on", data_type="date", description="day", max="as_of"),
            Column(name="seen_at", data_type="timestamp", description="moment", max="as_of"),
            Column(name="is_member", data_type="boolean", description="flag"),
            Column(name="tier", data_type="varchar", description="tier", enum=("gold", "silver")),
        )
        facts: dict[str, Any] = {
            "source": "test",
            "table": "people",
            "description": "test",
            "owner": "test",
            "mode": "snapshot",
            "key": ("id",),
            "columns": columns,
        }
        return Contract(**{**facts, **changes})

    def sources(self, connection: Connection | None = None, **entry: Any) -> Sources:
        table = TableSource.model_validate({"from": "place", **entry})
        found = connection or Connection(kind="files", path=str(self.folder))
        return Sources(connections={"place": found}, tables={"people": table}, base_dir=self.folder)

    def write(self, name: str, content: bytes | str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def run(self, day: date = DAY) -> Run:
        return Run("run", "test", day, datetime(2026, 1, 26, 3))

    def land(
        self,
        contract: Contract | None = None,
        *,
        day: date = DAY,
        refresh: bool = False,
        accept: bool = False,
        **entry: Any,
    ) -> Landed:
        sources = self.sources(**{"path": "people.csv", **entry})
        return land(contract or self.contract(), sources, self.settings, self.run(day), refresh=refresh, accept=accept)

    def rows(self, manifest: Manifest, columns: str = "id") -> list[tuple[Any, ...]]:
        """Loaded rows in order, with their record numbers last."""
        found: list[tuple[Any, ...]] = []
        for part in manifest.parts:
            path = f"{self.settings.landing_root}/{manifest.folder}/{part.name}"
            found += duckdb.sql(
                f"select {columns}, coalesce(_record_number, file_row_number + 1) "
                f"from read_parquet('{path}', file_row_number = true, hive_partitioning = false) order by "
                "file_row_number"
            ).fetchall()
        return found

    def rejects(self, manifest: Manifest, columns: str = "record_number, rule") -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for part in manifest.rejects:
            path = f"{self.settings.landing_root}/{manifest.folder}/{part.name}"
            found += duckdb.sql(f"select {columns} from read_parquet('{path}') order by record_number").fetchall()
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "source"
    folder.mkdir()
    return Place(folder, Settings(home=tmp_path / "home", _env_file=None))


@pytest.fixture(scope="session")
def make_place(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Place]:
    def make() -> Place:
        folder = tmp_path_factory.mktemp("place")
        (folder / "source").mkdir()
        return Place(folder / "source", Settings(home=folder / "home", _env_file=None))

    return make

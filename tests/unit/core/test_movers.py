"""What sources.yml may say of movers, and which secrets are looked up for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from regulars.contracts import Column, Contract
from regulars.errors import ConfigError
from regulars.sources.config import Sources, read_sources

SYNC = "18dccc91-0ab1-4f72-9ed7-0b8fc27c5826"
CONTRACTS = {
    table: Contract(
        source="test", table=table, description="test", owner="test", mode="snapshot", key=("id",),
        columns=(Column(name="id", data_type="bigint", description="key"),),
    )
    for table in ("moved", "read")
}  # fmt: skip
CONNECTIONS = """connections:
  airbyte: {kind: airbyte, url: "http://localhost:8000/api/public/v1", credentials: "${NO_SUCH_LOGIN}"}
  lake: {kind: files, path: lake}
  store: {kind: postgres, url: "postgresql://localhost/store", options: {one_snapshot: true}}
tables:
"""


def read(folder: Path, entry: str, needed: set[str] | None = None) -> Sources:
    (folder / "sources.yml").write_text(f"{CONNECTIONS}  moved: {{{entry}}}\n  read: {{from: lake, path: a.csv}}\n")
    return read_sources(folder / "sources.yml", CONTRACTS, needed=needed)


def test_the_login_of_a_mover_is_looked_up_where_a_table_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = f"from: lake, path: b.parquet, mover: airbyte, sync: {SYNC}"
    assert read(tmp_path, entry, {"read"}).tables["moved"].mover == "airbyte"
    with pytest.raises(ConfigError, match="NO_SUCH_LOGIN"):
        read(tmp_path, entry, {"moved"})
    monkeypatch.setenv("NO_SUCH_LOGIN", "id:secret")
    sources = read(tmp_path, entry)
    assert sources.connections["airbyte"].credentials == "id:secret" and "secret" not in repr(sources)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("from: lake, path: b.csv, mover: airbyte", "mover and sync belong together, and sync is not there"),
        (f"from: lake, path: b.csv, sync: {SYNC}", "mover and sync belong together, and mover is not there"),
        (f"from: lake, path: b.csv, mover: lake, sync: {SYNC}", "tables.moved.mover: 'lake' is of kind files"),
        (f"from: lake, path: b.csv, mover: other, sync: {SYNC}", "tables.moved.mover: 'other' is no connection"),
        ("from: lake, path: b.csv, mover: airbyte, sync: 7", "tables.moved.sync"),
        ("from: lake, path: b.csv, mover: airbyte, sync: my connection", "tables.moved.sync: it is not the id"),
        ("from: airbyte, table: a", "tables.moved.from: airbyte moves rows, and none can be read from it"),
        (f"from: store, table: a, mover: airbyte, sync: {SYNC}", "store has one_snapshot"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, entry: str, says: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        read(tmp_path, entry, set())
    assert says in wrong.value.message and wrong.value.remedy

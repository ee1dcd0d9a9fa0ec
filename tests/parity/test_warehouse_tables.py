"""Kind `warehouse` on both engines: types, names, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from regulars.contracts import Column, Contract
from regulars.errors import ConfigError, ContractError, RegularsError, SourceError
from regulars.landing import Landed, land
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources, TableSource
from regulars.warehouse import open_warehouse

pytestmark = pytest.mark.parity
RUN = Run("run", "test", date(2026, 1, 25), datetime(2026, 1, 26))
CONTRACT = Contract(
    source="test", table="kinds", description="test", owner="test", mode="snapshot", key=("id",),
    columns=tuple(
        Column(name=name, data_type=kind, description="test")
        for name, kind in {
            "id": "bigint", "wide": "decimal(30,9)", "ratio": "double", "is_on": "boolean", "day": "date", "seen_at": "timestamp",
            "label": "varchar",
        }.items()
    ),
)  # fmt: skip
TABLE = """create table reference.kinds (ID bigint, wide decimal(30,9), ratio double, is_on boolean, day date, seen_at timestamp,
 label varchar)"""
ROWS = """insert into reference.kinds values
 (9007199254740993, 123456789012345678901.123456789, 0.1, true, '2026-01-25', '2026-01-25 23:59:59.123456', 'It''s "quoted"'),
 (2, null, null, null, null, null, null), (1, -0.000000001, -1e300, false, '1999-12-31', '1999-12-31 00:00:00', 'Ünï 😀')"""


@pytest.fixture
def warehouse(either: Settings) -> Iterator[Settings]:
    """Settings of a warehouse that a run holds, with a table of somebody else's in it."""
    with open_warehouse(either) as opened:
        for statement in ("create schema reference", TABLE, ROWS):
            opened.execute(statement)
        yield either


def landed(settings: Settings, contract: Contract = CONTRACT, **entry: Any) -> Landed:
    source = TableSource.model_validate({"from": "dw", "table": "reference.kinds", **entry})
    sources = Sources(connections={"dw": Connection(kind="warehouse")}, tables={"kinds": source})
    return land(contract, sources, settings, RUN, refresh=True)


def rows_of(settings: Settings, found: Landed) -> list[tuple[Any, ...]]:
    files = [f"{settings.landing_root}/{found.manifest.folder}/{part.name}" for part in found.manifest.parts]
    names = ", ".join(CONTRACT.by_name)
    return duckdb.connect().execute(f"select {names} from read_parquet(?) order by id", [files]).fetchall()


def test_values_arrive_exactly(warehouse: Settings) -> None:
    found = landed(warehouse)
    assert found.manifest.rows_quarantined == 0
    assert rows_of(warehouse, found) == [
        (1, Decimal("-0.000000001"), -1e300, False, date(1999, 12, 31), datetime(1999, 12, 31), "Ünï 😀"),
        (2, None, None, None, None, None, None),
        (9007199254740993, Decimal("123456789012345678901.123456789"), 0.1, True, date(2026, 1, 25),
         datetime(2026, 1, 25, 23, 59, 59, 123456), 'It\'s "quoted"'),
    ]  # fmt: skip
    assert not landed(warehouse).created


def test_names_of_three_parts_conditions_and_expressions(warehouse: Settings) -> None:
    database = "warehouse" if warehouse.warehouse == "duckdb" else warehouse.snowflake.database
    columns = {"id": "ID", "label": "upper(label)", "wide": "wide + 1"}
    found = landed(warehouse, table=f"{database}.REFERENCE.kinds", columns=columns, source_where="day < '2000-01-01'")
    assert [(row[0], row[1], row[-1]) for row in rows_of(warehouse, found)] == [(1, Decimal("0.999999999"), "ÜNÏ 😀")]
    assert found.manifest.rows_read == 1


def test_an_empty_table_has_its_columns(warehouse: Settings) -> None:
    found = landed(warehouse, source_where="1 = 0")
    assert found.manifest.rows_read == 0 and found.manifest.verdict.status == "blocked"


@pytest.mark.parametrize(
    ("entry", "error", "said"),
    [
        ({"table": "reference.kind"}, SourceError, "dw: reference.kind .*grant usage"),
        ({"table": "nowhere.kinds"}, SourceError, "dw: nowhere.kinds .*grant usage"),
        ({"source_where": "lable = 'x'"}, RegularsError, "dw: reference.kinds .*"),
        ({"columns": {"label": "lable"}}, ContractError, "lable.*nearest: label"),
        ({"table": "kinds"}, ConfigError, "needs the table with its schema"),
    ],
)
def test_what_is_wrong_is_said(warehouse: Settings, entry: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=f"(?s){said}"):
        landed(warehouse, **entry)


def test_a_renamed_column_names_the_nearest(warehouse: Settings) -> None:
    columns = (*CONTRACT.columns[:-1], CONTRACT.columns[-1].model_copy(update={"name": "labels"}))
    with pytest.raises(ContractError, match=r"missing: labels \(nearest: label"):
        landed(warehouse, Contract(**{**CONTRACT.model_dump(), "columns": columns}))

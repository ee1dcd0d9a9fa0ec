"""Landing by kind `warehouse`: tables that stand in the warehouse already, read while a run holds it, and never written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import pytest

from regulars.errors import ConfigError, ContractError, SourceError, TransientError
from regulars.landing import land, plan_extract
from regulars.sources.config import Connection
from regulars.warehouse import Warehouse, open_warehouse

TABLE = """create table reference.people (ID bigint, email varchar, amount decimal(9,3), born_on date, seen_at timestamp with time zone,
 is_member boolean, tier varchar, surplus bigint[])"""
ROWS = """insert into reference.people values
 (4, null, 99999, null, null, null, null, [4]), (2, 'Ünï 😀', 2.555, null, '2026-01-24 08:00:00+01', null, 'tin', null),
 (1, 'a', 1.5, '2026-01-25', '2026-01-25 08:00:00.25+00', true, 'gold', [1, 2])"""
COLUMNS = {"id": "id", "seen_at": "seen_at", "tier": "null"}


@pytest.fixture
def warehouse(place) -> Iterator[Warehouse]:
    """The warehouse, as a run holds it, with a table of somebody else's in it."""
    with open_warehouse(place.settings) as opened:
        for statement in ("create schema reference", TABLE, ROWS):
            opened.execute(statement)
        yield opened


def _land(place, day=date(2026, 1, 25), contract=None, refresh=False, **entry):
    entry = {"table": "reference.people", "columns": COLUMNS, **entry}
    sources = place.sources(Connection(kind="warehouse"), **entry)
    return land(contract or place.contract(), sources, place.settings, place.run(day), refresh=refresh)


def test_a_table_is_landed_as_any_other(place, warehouse: Warehouse) -> None:
    before = warehouse.query("select * from reference.people")
    manifest = _land(place).manifest
    assert place.rows(manifest, "id, email, amount, born_on, seen_at, is_member") == [
        (1, "a", Decimal("1.50"), date(2026, 1, 25), datetime(2026, 1, 25, 8, 0, 0, 250000), True, 1)
    ]
    assert place.rejects(manifest, "record_number, rule, source") == [
        (2, "type", "place.reference.people"),
        (3, "max", "place.reference.people"),
    ]
    assert warehouse.query("select * from reference.people") == before


def test_equal_tables_are_equal_batches_however_their_rows_lie(place, warehouse: Warehouse) -> None:
    first = _land(place).manifest
    warehouse.execute("create or replace table reference.people as select * from reference.people order by id")
    assert not _land(place, refresh=True).created
    warehouse.execute("update reference.people set amount = 2 where id = 1")
    revised = _land(place, refresh=True)
    assert revised.created and (first.revision, revised.manifest.revision) == (1, 2)


def test_conditions_and_columns_are_asked_of_the_engine(place, warehouse: Warehouse) -> None:
    warehouse.execute(
        "create view reference.members as select * exclude (tier), 7::hugeint as wide from reference.people"
    )
    columns = {**COLUMNS, "amount": "wide::decimal(9,2)", "tier": "if(surplus is null, null, 'gold')"}
    entry = {"table": "reference.members", "columns": columns, "source_where": "len(surplus) > 0", "where": "id < 4"}
    manifest = _land(place, **entry).manifest
    assert place.rows(manifest, "id, amount, tier") == [(1, Decimal("7.00"), "gold", 1)]
    assert (manifest.rows_read, manifest.rows_filtered) == (1, 1)
    sources = place.sources(Connection(kind="warehouse"), **{**entry, "columns": COLUMNS})
    (plan,) = plan_extract(place.contract(), sources, place.settings, date(2026, 1, 25))
    assert (
        plan["source"] == "reference.members" and "len(surplus) > 0" in plan["query"] and "wide" not in plan["columns"]
    )


@pytest.mark.parametrize(
    ("entry", "error", "said"),
    [
        ({"table": "reference.persons"}, SourceError, "reference.persons .* does not have it.*grant usage"),
        ({"table": "people"}, ConfigError, "tables.people: kind warehouse needs the table with its schema"),
        ({"query": "select 1"}, ConfigError, "tables.people.query: kind warehouse does not have it"),
        ({"columns": {**COLUMNS, "amount": "amuont"}}, ContractError, "amuont.*nearest: amount"),
        ({"source_where": "idd > 1"}, SourceError, "place: reference.people .*idd.*source_where"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(place, warehouse: Warehouse, entry, error, said: str) -> None:
    with pytest.raises(error, match=f"(?s){said}"):
        _land(place, **entry)


def test_a_renamed_column_stops_the_landing_and_names_the_nearest(place, warehouse: Warehouse) -> None:
    warehouse.execute("alter table reference.people drop surplus")
    assert _land(place, columns={}).manifest.rows_loaded == 1
    warehouse.execute("alter table reference.people rename born_on to borne_on")
    with pytest.raises(ContractError, match=r"place\.reference\.people.*born_on.*nearest: borne_on"):
        _land(place, day=date(2026, 1, 26), columns={})


def test_a_past_day_is_refused_once_a_later_one_is_landed(place, warehouse: Warehouse) -> None:
    _land(place, day=date(2026, 1, 26))
    with pytest.raises(ConfigError, match="live snapshot"):
        _land(place, day=date(2026, 1, 25))


def test_without_a_run_that_holds_it_the_file_is_opened_for_itself(place) -> None:
    place.settings = place.settings.model_copy(update={"lock_timeout_seconds": 1})
    with pytest.raises(ConfigError, match="there is no warehouse at"):
        _land(place)
    assert not place.settings.warehouse_path.exists()
    with open_warehouse(place.settings) as opened:
        for statement in ("create schema reference", TABLE, ROWS):
            opened.execute(statement)
    assert _land(place).manifest.rows_loaded == 1
    held = (
        f"import duckdb; c = duckdb.connect({str(place.settings.warehouse_path)!r}); print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        with pytest.raises(TransientError, match="another process"):
            _land(place, refresh=True)
        holder.communicate("\n")

"""PostgreSQL at its edges: types the engine lacks, values outside of any calendar, names that look like commands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import psycopg
import pytest

from regulars.contracts import Column
from regulars.errors import ContractError, RegularsError, SourceError
from regulars.landing import land
from regulars.postgres.server import start_server, stop_server
from regulars.sources.config import Connection

TYPES = """
create type mood as enum ('sad', 'ok'); create type pair as (a int, b text);
create domain positive as int check (value > 0);
"""
# Expression: (contract column, what lands); None: the row is quarantined by rule `type`.
VALUES = {
    "'NaN'::numeric": ("amount", None),
    "'Infinity'::numeric": ("amount", None),
    "1.005::numeric": ("amount", None),
    "12345678901234567890.12::numeric(30,2)": ("amount", Decimal("12345678901234567890.12")),
    "1::numeric(50,0)": ("amount", Decimal(1)),
    "1e40::numeric(50,0)": ("amount", None),
    "1200::numeric(3,-2)": ("amount", Decimal(1200)),
    "'-Infinity'::float4": ("amount", None),
    "0.1::float8": ("amount", Decimal("0.10")),
    "3::positive": ("amount", Decimal(3)),
    "1::money": ("amount", None),
    "'infinity'::timestamp": ("seen_at", None),
    "'-infinity'::timestamptz": ("seen_at", None),
    "'4713-01-01 BC'::timestamp": ("seen_at", None),
    "'294276-12-31'::timestamp": ("seen_at", None),
    "'2016-12-31 23:59:60'::timestamp": ("seen_at", datetime(2017, 1, 1)),  # PostgreSQL itself says so
    "'infinity'::date": ("born_on", None),
    "'5874897-12-31'::date": ("born_on", None),
    "'2026-01-01'::date": ("born_on", date(2026, 1, 1)),
    "'10:00'::time": ("born_on", None),
    "array[[1],[2]]": ("note", "{{1},{2}}"),
    "array['a,\"b',null]": ("note", '{"a,\\"b",NULL}'),
    "int4range(1,5)": ("note", "[1,5)"),
    "'sad'::mood": ("note", "sad"),
    "row(1,'a')::pair": ("note", "(1,a)"),
    "'\\xff00'::bytea": ("note", None),
    "'x'::bytea": ("note", "x"),
    "'{\"a\": 1}'::jsonb": ("note", '{"a": 1}'),
    "interval '1 mon 2 days'": ("note", "1 mon 2 days"),
    "inet '10.0.0.1'": ("note", "10.0.0.1/32"),
    "'a'::char(5)": ("note", "a"),
    "E'a\\tb\\\\n\\n'": ("note", "a\tb\\n\n"),
    "null": ("note", "nothing"),
}
NAMES = ['we"ird', "we'ird", "semi;colon", 'x"; drop table people; --', "new\nline", "{window_start}", "100%s", "ünï"]
COLUMNS = (
    Column(name="id", data_type="bigint", description="key"),
    Column(name="note", data_type="varchar", description="text"),
    Column(name="amount", data_type="decimal(38,2)", description="money"),
    Column(name="born_on", data_type="date", description="day"),
    Column(name="seen_at", data_type="timestamp", description="moment"),
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    address = start_server(home).uri()
    _run(address, TYPES)
    yield address
    stop_server(home)


def _run(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(statements)


def _land(place, url: str, *, refresh: bool = False, **entry):
    contract = place.contract(columns=COLUMNS, on_drift="evolve")
    sources = place.sources(Connection(kind="postgres", url=url), **entry)
    return land(contract, sources, place.settings, place.run(), refresh=refresh, accept=True).manifest


@pytest.mark.parametrize("column", ["amount", "seen_at", "born_on", "note"])
def test_values_land_exactly_or_are_quarantined(place, url: str, column: str) -> None:
    for expression, (of, expected) in VALUES.items():
        if of != column:
            continue
        manifest = _land(place, url, query=f"select 1 as id, {expression} as {column}", refresh=True)
        if expected is None:
            assert place.rejects(manifest) == [(1, "type")], expression
        else:
            found = place.rows(manifest, f"coalesce({column}, 'nothing')" if column == "note" else column)
            assert found == [(expected, 1)], expression


def test_names_are_names(place, url: str) -> None:
    for number, name in enumerate(NAMES):
        quoted = '"' + name.replace('"', '""') + '"'
        _run(url, f"create table {quoted} (id int, {quoted} text); insert into {quoted} values ({number}, 'x')")
        nothing = dict.fromkeys(("amount", "born_on", "seen_at"), "null")
        manifest = _land(place, url, table=name, columns={"id": "id", "note": name, **nothing}, refresh=True)
        assert place.rows(manifest, "id, note") == [(number, "x", 1)], name
        assert manifest.parts[0].source == f"place.{name}"
    for query, said in (
        ("select 1 as id; drop table people", "syntax error"),
        ("select 1 as id, 'a' as note, 'b' as note", "ambiguous"),
    ):
        with pytest.raises(SourceError, match=said):
            _land(place, url, query=query, refresh=True)
    _run(url, 'create table twice (id int, note text, "Note" text)')
    with pytest.raises(ContractError, match=r"place\.twice has note more than once"):
        _land(place, url, table="twice", refresh=True)


def test_a_view_that_changes_under_us(place, url: str) -> None:
    _run(url, "create table base (id int, note text); insert into base values (1, 'a'), (2, 'b')")
    for select, loaded in (
        ("id, note from base", 2),
        ("id, length(note) as note from base", 2),
        ("id::text || case id when 2 then 'x' else '' end as id, note from base", 1),
    ):
        _run(url, f"drop view if exists shown; create view shown as select {select}")
        manifest = _land(place, url, table="shown", refresh=True)
        assert (manifest.rows_read, manifest.rows_loaded) == (2, loaded)
    _run(url, "drop view shown; create view shown as select id / (id - 2) as id, note from base")
    with pytest.raises(RegularsError, match=r"place: table people: division by zero") as caught:
        _land(place, url, table="shown", refresh=True)
    assert caught.value.remedy

"""Landing from a real PostgreSQL: push-down, types, one snapshot, and errors without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

import psycopg
import pytest

from regulars.errors import ConfigError, ContractError, SourceError, TransientError
from regulars.landing import land, plan_extract
from regulars.postgres.server import start_server, stop_server
from regulars.sources import reader_for
from regulars.sources.base import make_request
from regulars.sources.config import Connection
from regulars.sources.postgres_session import shared_snapshot, with_snapshot

COLUMNS = {"id": "id", "email": "mail", "tier": "null"}
TABLE = """
drop table if exists people;
create sequence if not exists counter;
create table people (id int, mail text, amount numeric, born_on date, seen_at timestamptz,
 is_member boolean, surplus uuid default gen_random_uuid());
insert into people values
 (1, 'a', 1.50, '2026-01-25', '2026-01-25 10:00+02', true), (2, 'b', 2.555, null, '2026-01-24 10:00+02', null),
 (3, 'c', 1, 'infinity', '2026-01-24 10:00+02', null), (4, null, 99999.00, null, '2026-01-24 10:00+02', null),
 (5, 'e', 1, null, null, null),
 (6, 'f', 1, null, '2026-01-20 10:00+02', null), (7, 'g', 1, null, '2026-01-26 00:00+00', null);
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    address = start_server(home).uri()
    with psycopg.connect(address, autocommit=True) as session:
        session.execute(TABLE)
    yield address
    stop_server(home)


def _land(place, url: str, contract=None, *, options=None, snapshot=None, **entry):
    sources = place.sources(Connection(kind="postgres", url=url, options=options or {}), **entry)
    if snapshot:
        sources = with_snapshot(sources, "place", snapshot)
    return land(contract or place.contract(), sources, place.settings, place.run()).manifest


def test_values_arrive_exactly_and_wrong_ones_go_to_quarantine(place, url: str) -> None:
    manifest = _land(place, url, table="public.people", columns=COLUMNS, source_where="id < 6")
    assert place.rows(manifest, "id, email, amount, born_on, seen_at, is_member") == [
        (1, "a", Decimal("1.50"), date(2026, 1, 25), datetime(2026, 1, 25, 8), True, 1),
        (5, "e", Decimal("1.00"), None, None, None, 5),
    ]
    assert place.rejects(manifest, "record_number, rule, source") == [
        (2, "type", "place.public.people"),
        (3, "type", "place.public.people"),
        (4, "max", "place.public.people"),
    ]


def test_the_window_is_pushed_down_and_keeps_rows_without_a_time(place, url: str) -> None:
    contract = place.contract(mode="upsert", event_time="seen_at", lookback_days=1)
    manifest = _land(place, url, contract, table="people", columns=COLUMNS)
    assert manifest.rows_read == 5
    assert [row[0] for row in place.rows(manifest)] == [1, 5]
    sources = place.sources(Connection(kind="postgres", url=url), table="people", columns=COLUMNS)
    (plan,) = plan_extract(contract, sources, place.settings, date(2026, 1, 25))
    assert plan["window_is_pushed_down"]
    assert "surplus" not in plan["query"]
    assert "timestamptz '2026-01-24 00:00:00+00'" in plan["query"]


def test_a_window_on_text_is_cut_at_landing_and_where_counts(place, url: str) -> None:
    contract = place.contract(mode="append", event_time="seen_at", lookback_days=0)
    columns = {**COLUMNS, "seen_at": "cast(seen_at as varchar)"}
    manifest = _land(place, url, contract, table="people", columns=columns, where="id <> 5")
    assert [row[0] for row in place.rows(manifest)] == [1]
    assert (manifest.rows_read, manifest.rows_filtered) == (1, 6)


def test_all_tables_of_a_database_show_one_moment(place, make_place, url: str) -> None:
    connection = Connection(kind="postgres", url=url)
    with shared_snapshot(connection) as snapshot:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("insert into people (id, mail) values (99, 'late')")
        try:
            before = _land(place, url, table="people", columns=COLUMNS, snapshot=snapshot)
            after = _land(make_place(), url, table="people", columns=COLUMNS)
        finally:
            with psycopg.connect(url, autocommit=True) as session:
                session.execute("delete from people where id = 99")
    assert (before.rows_read, after.rows_read) == (7, 8)
    with pytest.raises(TransientError, match="snapshot"):
        _land(make_place(), url, table="people", columns=COLUMNS, snapshot=snapshot)


def test_a_query_runs_in_the_database(place, url: str) -> None:
    query = (
        "select 1 as id, mail as email, sum(amount)::numeric(7,2) as amount, {as_of} as born_on from people "
        "where id < 3 group by mail order by mail"
    )
    manifest = _land(place, url, place.contract(on_drift="evolve", duplicates="keep"), query=query)
    assert place.rows(manifest, "email, amount, born_on") == [
        ("a", Decimal("1.50"), date(2026, 1, 25), 1),
        ("b", Decimal("2.56"), date(2026, 1, 25), 2),
    ]


def test_errors_say_what_to_do_and_never_show_secrets(place, url: str) -> None:
    with pytest.raises(SourceError, match=r'relation "public.nobody" does not exist'):
        _land(place, url, table="public.nobody")
    with pytest.raises(SourceError, match='column "nothing" does not exist'):
        _land(place, url, table="people", columns=COLUMNS, source_where="nothing = 1")
    with pytest.raises(ContractError, match="not in the contract: mail, surplus"):
        _land(place, url, table="people")
    with pytest.raises(ConfigError, match="needs table or query"):
        _land(place, url)
    slow = "select pg_sleep(5)::text as email, 1 as id"
    with pytest.raises(TransientError, match="statement timeout"):
        _land(place, url, place.contract(on_drift="evolve"), query=slow, options={"statement_timeout_seconds": 0.2})
    with pytest.raises(TransientError) as caught:
        _land(place, "postgresql://someone:hunter2@127.0.0.1:1/x", table="people")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.__cause__)


def test_landings_only_read(place, url: str) -> None:
    with pytest.raises(SourceError, match="read-only transaction"):
        _land(place, url, place.contract(on_drift="evolve"), query="select nextval('counter') as id")


def test_a_window_of_days_reaches_back_to_the_last_landing(place, url: str) -> None:
    contract = place.contract(mode="append", event_time="born_on", lookback_days=1)
    sources = place.sources(Connection(kind="postgres", url=url), table="people", columns=COLUMNS)
    request = make_request(contract, sources, place.settings, date(2026, 1, 25), since=date(2026, 1, 20))
    assert ">= date '2026-01-19'" in reader_for("postgres").plan(request)[0]["query"]

"""A large table is read by page ranges side by side, and lands as one stream would have landed it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from regulars.contracts import Column
from regulars.errors import TransientError
from regulars.landing import land
from regulars.postgres.server import start_server, stop_server
from regulars.quality.quarantine import replay
from regulars.settings import Settings
from regulars.sources.config import Connection
from regulars.sources.postgres_ranges import LEAST_OF_TRANSFER, LEAST_PAGES, SHARE, SHARE_OF_TRANSFER, page_ranges

DAY = date(2026, 1, 25)
ROWS = 36_000
# Wide rows, two to a page: 36,000 of them are nine ranges of 2048 pages. Every 1000th has no identifier, and the last
# of each 4096 is there again at the end.
TABLE = f"""
create table big (id int, filler text);
alter table big alter filler set storage plain;
insert into big select case when n % 1000 = 0 then null else n end, repeat('x', 3900) from generate_series(1, {ROWS}) n;
insert into big select n, repeat('x', 3900) from generate_series(4095, {ROWS}, 4096) n;
create view shown as select * from big;
create table apart (id int, filler text) partition by range (id);
create table apart_1 partition of apart default;
alter table apart_1 alter filler set storage plain;
insert into apart select n, repeat('x', 3900) from generate_series(1, 5000) n;
create table parent (like big);
create table child () inherits (parent);
insert into parent select n, repeat('x', 3900) from generate_series(1, 5000) n;
create role lent_nothing login;
grant select on big to lent_nothing;
analyze;
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    address = start_server(home).uri()
    with psycopg.connect(address, autocommit=True) as session:
        session.execute(TABLE)
    yield address
    stop_server(home)


def _contract(place, **changes):
    columns = (
        Column(name="id", data_type="bigint", description="key"),
        Column(name="length", data_type="bigint", description="of the filler"),
    )
    return place.contract(columns=columns, **changes)


def _land(place, url: str, table: str = "big", *, threads: int = 2, options=None, contract=None, **entry):
    settings = place.settings.model_copy(update={"threads": threads})
    connection = Connection(kind="postgres", url=url, options=options or {})
    columns = {"id": "id", "length": "length(filler)"}
    sources = place.sources(connection, table=table, columns=columns, **entry)
    return land(contract or _contract(place), sources, settings, place.run()).manifest


@pytest.fixture(scope="module")
def whole(make_place, url: str):
    """The landing of `big`, and the place that it lies in."""
    place = make_place()
    return place, _land(place, url)


@pytest.mark.parametrize(
    ("least", "share", "most"), [(LEAST_PAGES, SHARE, 70), (LEAST_OF_TRANSFER, SHARE_OF_TRANSFER, 280)]
)
def test_ranges_cover_every_page_once_and_do_not_move_when_the_table_grows(least: int, share: int, most: int) -> None:
    for pages in (0, 1, least, least + 1, 1_000_000, 13_000_000):
        ranges = page_ranges(pages, least, share)
        assert [first for first, _ in ranges] == [0, *(end for _, end in ranges)][: len(ranges)]
        assert (ranges[-1][1] if ranges else 0) >= pages
        assert all(end - first <= max(least, first / share) for first, end in ranges)
        assert ranges == page_ranges(2 * pages, least, share)[: len(ranges)]
    assert len(page_ranges(13_000_000, least, share)) < most  # 100 GB


def test_rows_records_and_sums_are_those_of_one_stream(whole, make_place, url: str) -> None:
    place, manifest = whole
    assert len(manifest.parts) > 8
    assert manifest.rows_read == ROWS + 8 == manifest.rows_loaded + manifest.rows_quarantined + manifest.rows_duplicate
    assert (manifest.rows_quarantined, manifest.rows_duplicate) == (36, 8)
    other = make_place()
    stream = _land(other, url, "shown")
    assert len(stream.parts) == 1
    assert [row[0] for row in place.rows(manifest)] == [row[0] for row in other.rows(stream)]
    assert manifest.rejects_by_rule == stream.rejects_by_rule == {"required": 36}


def test_every_session_makes_the_same_pseudonyms(make_place, url: str) -> None:
    landed = []
    for table in ("big", "shown"):
        place = make_place()
        place.settings = Settings(home=place.settings.home, pseudonym_key="key", _env_file=None)
        columns = (
            Column(name="id", data_type="bigint", description="key"),
            Column(name="email", data_type="varchar", description="mail", pii="email"),
        )
        sources = place.sources(
            Connection(kind="postgres", url=url), table=table, columns={"id": "id", "email": "'m' || id"}
        )
        manifest = land(place.contract(columns=columns), sources, place.settings, place.run()).manifest
        landed.append([row[:2] for row in place.rows(manifest, f"id, {columns[1].pseudonym}")])
    assert landed[0] == landed[1]
    assert len({digest for _, digest in landed[0]}) > 35_000


def test_a_record_number_counts_from_the_page_that_its_source_names(whole, url: str) -> None:
    place, manifest = whole
    rejects = place.rejects(manifest, "source, record_number")
    assert len({source for source, _ in rejects}) > 8
    with psycopg.connect(url) as session:
        for source, record in rejects:
            page = int(source.partition(" from page ")[2] or 0)
            found = session.execute(
                "select id from big where ctid >= %s::tid order by ctid offset %s limit 1", [f"({page},0)", record - 1]
            ).fetchone()
            assert found == (None,), (source, record)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_equal_tables_are_equal_batches_whatever_the_timing(whole, make_place, url: str, threads: int) -> None:
    """Pages full of rows that nobody sees are added between the readings."""
    with psycopg.connect(url) as session:
        session.execute("insert into big select 0, repeat('y', 3900) from generate_series(1, 5000)")
        session.rollback()
    again = _land(make_place(), url, threads=threads)
    assert (again.batch_id, again.rows_read) == (whole[1].batch_id, whole[1].rows_read)


def test_all_ranges_show_one_moment(make_place, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that move from the first range to the last while it is read are neither lost nor read twice."""
    from regulars import typed_pieces

    typing, calls = typed_pieces._type_piece, itertools.count()

    def disturbed(*given):
        if next(calls) == 1:
            with psycopg.connect(url, autocommit=True) as session:
                session.execute("update big set filler = filler || '' where id between 1 and 500")
        return typing(*given)

    expected = _land(make_place(), url).batch_id
    monkeypatch.setattr(typed_pieces, "_type_piece", disturbed)
    assert _land(make_place(), url).batch_id == expected
    assert next(calls) > 8


@pytest.mark.parametrize("table", ["apart", "parent", "shown"])
def test_partitions_children_and_views_stay_one_stream(make_place, url: str, table: str) -> None:
    manifest = _land(make_place(), url, table)
    assert len(manifest.parts) == 1
    assert manifest.rows_read >= 5000


def test_a_source_where_stays_one_stream(make_place, url: str) -> None:
    manifest = _land(make_place(), url, source_where="id > 10")
    assert len(manifest.parts) == 1


def test_a_server_that_lends_no_snapshot_is_read_in_one_stream(make_place, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("revoke execute on function pg_export_snapshot() from public")
    try:
        manifest = _land(make_place(), f"{url}&user=lent_nothing" if "?" in url else f"{url}?user=lent_nothing")
    finally:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("grant execute on function pg_export_snapshot() to public")
    assert len(manifest.parts) == 1
    assert manifest.rows_read == ROWS + 8


def test_an_index_that_finds_the_window_is_used_instead(make_place, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(
            "create table events (id int, filler text, seen_at timestamptz); "
            "alter table events alter filler set storage plain; "
            "insert into events select n, repeat('x', 3900), timestamptz '2025-01-25 10:00+00' + n * interval '1 hour' "
            "from generate_series(1, 9000) n; create index on events (seen_at); analyze events"
        )
    place = make_place()
    columns = (*_contract(place).columns, Column(name="seen_at", data_type="timestamp", description="moment"))
    contract = place.contract(columns=columns, mode="append", event_time="seen_at", lookback_days=0)
    manifest = _land(place, url, "events", contract=contract)
    assert (len(manifest.parts), manifest.rows_read) == (1, 24)


def test_where_counts_what_it_leaves_out_of_every_range(whole, make_place, url: str) -> None:
    place = make_place()
    manifest = _land(place, url, where="id % 2 = 0")
    assert manifest.rows_read + manifest.rows_filtered == whole[1].rows_read
    assert manifest.rows_read == ROWS // 2 - 36
    record = dict(place.rows(manifest))
    assert record[2] == 2


def test_rejected_rows_of_every_range_can_be_replayed(make_place, url: str) -> None:
    place = make_place()
    contract = _contract(place)
    manifest = _land(place, url, contract=contract)
    lenient = contract.model_copy(update={"key": ("length",), "duplicates": "keep"})
    connection = Connection(kind="postgres", url=url)
    sources = place.sources(connection, table="big", columns={"id": "id", "length": "length(filler)"})
    repaired = replay(lenient, sources, place.settings, place.run(), DAY)
    assert repaired is not None
    assert repaired.manifest.rows_loaded == manifest.rows_quarantined == 36
    assert replay(lenient, sources, place.settings, place.run(), DAY) is None


def test_the_statement_timeout_ends_a_range_too(make_place, url: str) -> None:
    with pytest.raises(TransientError, match="statement timeout"):
        _land(make_place(), url, options={"statement_timeout_seconds": 0.002})


def test_a_failing_range_ends_the_landing_and_every_session(make_place, url: str) -> None:
    """The database goes away from under the reading: nothing is left but the error."""
    from regulars import typed_pieces

    place = make_place()
    typing, calls = typed_pieces._type_piece, itertools.count()
    ours = "from pg_stat_activity where application_name = 'regulars'"

    def cut_off(*given):
        if next(calls) == 2:
            with psycopg.connect(url, autocommit=True) as session:
                session.execute(f"select pg_terminate_backend(pid) {ours}".encode())
        return typing(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typed_pieces, "_type_piece", cut_off)
        with pytest.raises(TransientError):
            _land(place, url)
    with psycopg.connect(url) as session:
        assert session.execute(f"select count(*) {ours}".encode()).fetchone() == (0,)
    assert not list(place.settings.home.glob("spool/*/*.parquet"))
    assert _land(place, url).rows_read == ROWS + 8

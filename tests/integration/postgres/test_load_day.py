"""Bulk intake by COPY, and the departmental databases in the state of a day, however one gets there."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import psycopg
import pytest

from regulars.errors import ConfigError, SourceError
from regulars.postgres.copy_in import copy_in
from regulars.postgres.server import EmbeddedPostgres, start_server, stop_server
from regulars.sample import TABLES, SampleSpec, Variant, load_day
from regulars.sample.draws import sample_engine
from regulars.sample.load import database_uri
from regulars.sample.tables import day_rows, sample_contracts

SPEC = SampleSpec(users=600, days=5)
State = dict[str, tuple[int, str]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    home = tmp_path_factory.mktemp("home")
    yield start_server(home)
    stop_server(home)


def state_of(server: EmbeddedPostgres) -> State:
    """Rows and a digest over the sorted rows, by table."""
    found: State = {}
    for table, contract in sample_contracts().items():
        with psycopg.connect(server.uri(contract.source)) as connection:
            query = f"select count(*), md5(coalesce(string_agg(r::text, '|' order by r::text), '')) from {table} r"
            found[table] = connection.execute(query).fetchall()[0]  # type: ignore[arg-type, assignment]
    return found


def load(server: EmbeddedPostgres, index: int, variant: Variant = "whole") -> State:
    counts = load_day(SPEC, SPEC.day_at(index), server.uri(), variant)
    state = state_of(server)
    assert counts == {table: rows for table, (rows, _) in state.items()}
    return state


def test_copy_keeps_null_empty_and_odd_text(server: EmbeddedPostgres) -> None:
    query = """select * from (values (1, null, true), (2, '', false), (3, 'a"b,' || chr(10) || '\\N\\.', null)) as t"""
    with psycopg.connect(server.uri()) as connection:
        connection.execute("create temp table t (n bigint, word text, yes boolean)")
        assert copy_in(duckdb.connect(), query, connection, "t", ["n", "word", "yes"], schema="pg_temp") == 3
        rows = connection.execute("select * from t order by n").fetchall()
    assert rows == [(1, None, True), (2, "", False), (3, 'a"b,\n\\N\\.', None)]


@pytest.mark.parametrize(
    "query", ["select 'x'", "select error('boom')", "select if(range = 150000, 'x', '1') from range(200000)"]
)
def test_a_refused_value_leaves_no_rows(server: EmbeddedPostgres, query: str) -> None:
    with psycopg.connect(server.uri()) as connection:
        connection.execute("create temp table t (n bigint)")
        connection.execute("savepoint before")
        with pytest.raises(SourceError):
            copy_in(duckdb.connect(), query, connection, "t", ["n"], schema="pg_temp")
        connection.execute("rollback to before")
        assert connection.execute("select count(*) from t").fetchall() == [(0,)]


def test_the_state_depends_on_the_day_alone(server: EmbeddedPostgres) -> None:
    in_order = [load(server, index) for index in range(3)]
    corrected = load(server, 2, "corrected")
    assert {table for table in TABLES if corrected[table] != in_order[2][table]} == {"user_activity"}
    assert load(server, 2) == in_order[2]
    shrunken, whole = load(server, 3, "shrunken"), load(server, 3)
    assert {table for table in TABLES if shrunken[table] != whole[table]} == {"user_profile"}
    assert shrunken["user_profile"][0] < 0.4 * whole["user_profile"][0]
    assert load(server, 3) == whole, "again"
    assert load(server, 1) == in_order[1], "back"
    assert load(server, 3) == whole, "over a day"


def test_rows_are_those_of_the_files(server: EmbeddedPostgres) -> None:
    load(server, 1)
    engine = sample_engine()
    for table in ("user_activity", "user_profile"):
        contract = sample_contracts()[table]
        days = [1] if contract.mode == "snapshot" else [0, 1]
        expected = [row for day in days for row in engine.execute(day_rows(SPEC, table, day)).fetchall()]
        columns = ", ".join(f"{name}::text" for name in contract.by_name)
        with psycopg.connect(server.uri(contract.source)) as connection:
            found = connection.execute(f"select {columns} from {table}").fetchall()  # type: ignore[arg-type]
        assert sorted(map(str, found)) == sorted(map(str, expected))


def test_another_sample_replaces_the_first(server: EmbeddedPostgres) -> None:
    first = load(server, 0)
    other = SampleSpec(users=700, days=1, seed=3)
    seen: list[tuple[str, int, int]] = []
    load_day(other, other.start, server.uri("dw_a"), progress=lambda *step: seen.append(step))
    assert seen[-1] == ("done", 13, 13)
    assert [done for _, done, _ in seen] == list(range(14))
    assert state_of(server)["user_profile"][0] > first["user_profile"][0]
    assert load(server, 0) == first


def test_wrong_days_and_variants_are_refused(server: EmbeddedPostgres) -> None:
    with pytest.raises(ConfigError, match="has no variant 'shrunken'"):
        load_day(SPEC, SPEC.day_at(1), server.uri(), "shrunken")
    with pytest.raises(ConfigError, match="not a day of this sample"):
        load_day(SPEC, SPEC.day_at(9), server.uri())


def test_urls_of_other_databases() -> None:
    assert database_uri("postgresql://u@/x?host=/s", "dw_a") == "postgresql://u@/dw_a?host=/s"
    assert database_uri("postgresql:///x?host=/s", "dw_a") == "postgresql:///dw_a?host=/s"
    assert database_uri("postgresql://u:p@h:5433/x", "dw_a") == "postgresql://u:p@h:5433/dw_a"

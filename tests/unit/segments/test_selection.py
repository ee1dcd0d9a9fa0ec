"""The formula guard, the hold-out and the types, as the engine runs them."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.contracts import read_contracts
from regulars.segments import holdout, selection
from regulars.segments.selection import profile_sql
from regulars.segments.unload import DuckDBDialect, DuckDBUnloader
from regulars.settings import PROJECT_DIR
from regulars.warehouse.duckdb import read_file

SQL = DuckDBDialect()
RISKY = "=+-@\t\r\n\0＝＋－＠"
TYPES = {
    "user_id": "varchar",
    "note": "varchar",
    "amount": "decimal(18,2)",
    "visits": "bigint",
    "score": "double",
    "day": "date",
}
PYTHON_SPACE = " \t\n\r\x0b\x0c\u00a0\u200b\ufeff\u2003"
cells = st.text(
    st.one_of(st.sampled_from(RISKY + "'\" ,;\x0b\u00a0\u200b#a1ü"), st.characters(exclude_categories=["Cs"])),
    max_size=12,
)
numbers = st.tuples(
    st.one_of(st.none(), st.decimals(-(10**9), 10**9, places=2)),
    st.one_of(st.none(), st.integers(-(2**62), 2**62)),
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
)


@pytest.fixture(scope="module")
def session():
    connection = duckdb.connect()
    with DuckDBUnloader(connection) as unloader:
        yield unloader
    connection.close()


def fill(session, rows):
    session.execute(
        f"create or replace temp table {selection.MEMBERS} (user_id varchar, note varchar, amount decimal(18, 2), "
        "visits bigint, score double, day date, withheld varchar, is_entered boolean, formula_cells bigint)"
    )
    for index, (note, (amount, visits, score)) in enumerate(rows):
        session.execute(
            f"insert into {selection.MEMBERS} values (?, ?, ?, ?, ?, ?, null, true, 1)",
            [f"{index:04d}", note, amount, visits, score, date(2026, 1, 5)],
        )


def is_risky(cell: str) -> bool:
    """What a spreadsheet could run: white space, then a character of the list."""
    bare = cell.lstrip(PYTHON_SPACE)
    return (cell != "" and cell[0] in RISKY) or (bare != "" and bare[0] in RISKY)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.one_of(st.none(), cells), numbers), min_size=1, max_size=8))
def test_no_text_cell_begins_a_formula_and_nothing_else_changes(session, tmp_path, rows):
    fill(session, rows)
    path: Path = tmp_path / "full.csv"
    assert session.export(selection.full_sql(TYPES, True, SQL), path, "csv") == len(rows)
    read = list(csv.reader(io.StringIO(path.read_bytes().decode(), newline=""), strict=True))
    assert read[0] == list(TYPES)
    for (note, (amount, visits, score)), (_, cell, *typed) in zip(rows, read[1:], strict=True):
        assert not is_risky(cell)
        assert cell in (note or "", f"'{note}")
        assert (cell != (note or "")) >= is_risky(note or "")
        assert [typed[0] and Decimal(typed[0]), typed[1] and int(typed[1]), typed[2] and float(typed[2])] == [
            "" if value is None else value for value in (amount, visits, score)
        ]
        assert typed[3] == "2026-01-05"
    back = read_file(path, list(TYPES), "csv")
    undone = session.query(f"select {SQL.undo_guard('note')} from {back} order by user_id")
    assert [note or "" for (note,) in undone] == [note or "" for note, _ in rows]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\u00a0=1", "\ufeff=1", "＝1", "'=1", "\n=1"]
)
def test_known_formulas_get_an_apostrophe(session, cell):
    assert session.query(f"select {SQL.is_formula('x')} from (select ?::varchar as x)", [cell]) == [(True,)]


@pytest.mark.parametrize("cell", ["", "a=1", "1-1", "O'Neil", "'quoted'", "éa", "#1", "(=1)", "_-"])
def test_plain_text_is_left_alone(session, cell):
    assert session.query(f"select {SQL.is_formula('x')} from (select ?::varchar as x)", [cell]) == [(False,)]


@given(st.binary(max_size=100), st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.floats(0, 50))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_engine_holds_out_whom_the_rule_says(session, key, user, pct):
    SQL.hold_key(session, *holdout.hmac_pads(key))
    digest = SQL.keyed_hash("'holdout:fans:' || ?")
    found = session.query(f"select substr({digest}, 1, 8) < '{holdout.holdout_threshold(pct)}'", [user])
    assert found == [(holdout.is_held_out(key, "fans", user, pct),)]


@given(st.sampled_from([1, 5, 10, 33.3, 50]), st.binary(min_size=16, max_size=64))
@settings(max_examples=10, deadline=None)
def test_the_held_out_share_is_near_what_was_asked(pct, key):
    users = [f"u{number}" for number in range(5000)]
    held_out = {user for user in users if holdout.is_held_out(key, "fans", user, pct)}
    spread = (5000 * pct / 100 * (1 - pct / 100)) ** 0.5
    assert abs(len(held_out) - 50 * pct) < 6 * spread
    assert held_out <= {user for user in users if holdout.is_held_out(key, "fans", user, 50)}


def test_segments_hold_out_different_members():
    users = [f"u{number}" for number in range(4000)]
    both = sum(holdout.is_held_out(b"k", "a", user, 50) and holdout.is_held_out(b"k", "b", user, 50) for user in users)
    assert 800 < both < 1200


@pytest.mark.parametrize(
    "kind", ["bigint", "ubigint", "hugeint", "decimal(5,2)", "double", "boolean", "date", "timestamp", "integer"]
)
def test_numbers_and_times_are_not_text(kind):
    assert not selection.is_text(kind)


@pytest.mark.parametrize("kind", ["varchar", "varchar[]", "enum('a')", "json", "interval", "struct(a integer)"])
def test_everything_else_is_text(kind):
    assert selection.is_text(kind)


def test_of_versions_tied_on_time_the_address_is_of_the_one_that_the_master_shows() -> None:
    """The winner is told by the pseudonym, as staging does, not by the address behind it."""
    contract = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")["user_profile"]
    columns = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in contract.landed_columns)
    day = date(2026, 1, 5)
    with duckdb.connect() as engine:
        engine.execute("create schema raw; create schema ops")
        engine.execute(
            f"create table raw.user_profile as select {columns}, date '{day}' as _as_of, 'b' as _batch_id where false"
        )
        engine.execute(
            f"create table ops.effective_batches as select 'user_profile' as table_name, date '{day}' as as_of, 'b' as batch_id"
        )
        for email, digest in (("a@x", "9"), ("z@x", "1")):
            engine.execute(
                "insert into raw.user_profile by name select 'u1' as user_id, ? as email, ? as email_hash, "
                f"timestamp '2026-01-05' as updated_at, date '{day}' as _as_of, 'b' as _batch_id",
                [email, digest],
            )
        assert engine.execute(profile_sql(contract, ("email",), day)).fetchall() == [("u1", "a@x")]

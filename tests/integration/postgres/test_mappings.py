"""Mapping tables in a real PostgreSQL: proposals of runs in any order, twice, at once, and what is used of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.cleansing.rules import MappingRule
from regulars.postgres.mapping_review import approve, reject
from regulars.postgres.mapping_tables import ensure_tables
from regulars.postgres.mappings import Proposed, propose
from regulars.postgres.server import start_server, stop_server
from regulars.run import Run

Connection = psycopg.Connection[Any]
Cells = Sequence[tuple[str | None, str | None]]

LEVELS = MappingRule(
    mapping="words", vocabulary=("high", "medium", "low"), abbreviations={"hi": "high", "med.": "medium"}
)
SPEND = MappingRule(mapping="numbers", abbreviations={"dozen": "12"})
COLUMNS = {"level": LEVELS, "spend": SPEND}
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    yield start_server(home).ensure_database("operational")
    stop_server(home)


@pytest.fixture
def store(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set TimeZone = 'UTC'; set synchronous_commit = off")
        empty(connection)
        yield connection


def empty(connection: Connection) -> None:
    connection.execute("drop schema if exists mapping cascade; drop schema if exists raw cascade; create schema raw")
    connection.execute("create table raw.metrics (level text, spend text, _tab text, _row bigint)")


def run_at(hour: int) -> Run:
    return Run(f"run-{hour}", "customer-engagement", date(2026, 1, 31), datetime(2026, 1, 31, hour))


def take_in(connection: Connection, cells: Cells) -> None:
    connection.execute("truncate raw.metrics")
    with connection.cursor() as cursor:
        cursor.executemany("insert into raw.metrics (level, spend) values (%s, %s)", cells)


def intake(connection: Connection, hour: int, cells: Cells, columns: Any = COLUMNS) -> tuple[Proposed, ...]:
    take_in(connection, cells)
    return propose(connection, "raw.metrics", columns, run_at(hour))


def state(connection: Connection) -> list[tuple[Any, ...]]:
    return [
        connection.execute(f"select * from mapping.{table} order by 1, 2").fetchall()
        for table in ("word_mapping", "number_mapping", "rules")
    ]  # type: ignore[return-value]


def usable(connection: Connection, kind: str) -> dict[str, Any]:
    rows = connection.execute(f"select * from mapping.usable_{kind} order by 2").fetchall()
    return {row[1]: row[2] for row in rows}


def test_each_distinct_value_gets_a_proposal_and_only_sure_ones_are_used(store: Connection) -> None:
    cells: Cells = [
        ("high", "12"),
        ("HIGH ", "1.5k"),
        ("Hi", "two dozen"),
        ("meduim", "10-20"),
        ("hgih", "n/a"),
        (None, ""),
    ]
    cells = [*cells, ("lov", None), ("excellent", "(1,234.50)"), ("high", "3 dozen")]
    found = intake(store, 9, cells)
    assert found == (
        Proposed("level", values=7, values_new=7, values_waiting=3, rows_waiting=3, values_too_long=0),
        Proposed("spend", values=8, values_new=8, values_waiting=2, rows_waiting=2, values_too_long=0),
    )
    assert usable(store, "words") == {"HIGH ": "high", "Hi": "high", "high": "high", "meduim": "medium"}
    assert usable(store, "numbers") == {
        "": None, "(1,234.50)": Decimal("-1234.5"), "1.5k": 1500, "12": 12, "3 dozen": 36, "n/a": None,
    }  # fmt: skip
    words = store.execute(
        "select raw_value, canonical_value, status, confidence, rule, seen_count from mapping.word_mapping"
    )
    assert sorted(words.fetchall()) == [
        ("HIGH ", "high", "proposed", Decimal(1), "normalised", 1),
        ("Hi", "high", "proposed", Decimal(1), "abbreviation", 1),
        ("excellent", None, "proposed", Decimal(0), "nothing_near", 1),
        ("hgih", "high", "proposed", Decimal("0.875"), "misspelling", 1),
        ("high", "high", "proposed", Decimal(1), "exact", 2),
        ("lov", "low", "proposed", Decimal("0.778"), "misspelling", 1),
        ("meduim", "medium", "proposed", Decimal("0.944"), "misspelling", 1),
    ]


def test_a_second_run_changes_nothing(store: Connection) -> None:
    cells: Cells = [("high", "1,234"), ("hgih", "1.5"), ("high", "€5"), ("x", "$5")]
    intake(store, 9, cells)
    first = state(store)
    again = intake(store, 9, list(reversed(cells)))
    assert state(store) == first
    assert [one.values_new for one in again] == [0, 0]


def test_what_is_seen_again_keeps_its_first_time_and_takes_the_count_of_the_latest_run(store: Connection) -> None:
    intake(store, 9, [("high", None)] * 3)
    intake(store, 11, [("high", None)] * 2 + [("low", None)])
    intake(store, 10, [("high", None)] * 7)  # an older run is done again, late
    rows = store.execute("select raw_value, first_seen, last_seen, seen_count from mapping.word_mapping order by 1")
    nine, eleven = NOON.replace(hour=9), NOON.replace(hour=11)
    assert rows.fetchall() == [("high", nine, eleven, 2), ("low", eleven, eleven, 1)]


def test_a_separator_is_read_as_the_rest_of_the_column_is_whatever_came_first(store: Connection) -> None:
    ambiguous: Cells = [(None, "1,234"), (None, "1.234")]
    telling: Cells = [(None, f"{n}.{n},5") for n in range(101, 121)]
    intake(store, 9, ambiguous)
    assert usable(store, "numbers") == {}
    intake(store, 10, telling)
    found = usable(store, "numbers")
    assert (found["1,234"], found["1.234"]) == (Decimal("1.234"), 1234)
    after = state(store)
    empty(store)
    intake(store, 10, telling)
    intake(store, 9, ambiguous)
    assert state(store) == after


def test_two_currencies_in_a_column_wait(store: Connection) -> None:
    intake(store, 9, [(None, "$5"), (None, "7")])
    assert usable(store, "numbers") == {"$5": 5, "7": 7}
    intake(store, 10, [(None, "5 EUR")])
    assert usable(store, "numbers") == {"7": 7}


def test_a_decision_stays_and_another_contract_changes_what_nobody_decided(store: Connection) -> None:
    cells: Cells = [("hgih", None), ("lwo", None), ("excellent", None), ("superb", None)]
    intake(store, 9, cells)
    approve(store, "level", "hgih", value="low", by="ann", at=NOON)
    reject(store, "level", "superb", by="ann", at=NOON)
    wider = {
        "level": MappingRule(
            mapping="words", vocabulary=("high", "low", "Excellent", "superb"), threshold=Decimal("0.6")
        )
    }
    assert usable(store, "words") == {"hgih": "low"}
    (found,) = intake(store, 10, cells, wider)
    assert found.values_new == 0
    assert usable(store, "words") == {"excellent": "Excellent", "hgih": "low", "lwo": "low"}
    decided = "select raw_value, status, decided_by, decided_at from mapping.word_mapping where decided_by is not null"
    assert store.execute(decided).fetchall() == [("hgih", "approved", "ann", NOON), ("superb", "rejected", "ann", NOON)]


def test_a_decision_made_by_hand_while_a_run_is_writing_stays(store: Connection, url: str) -> None:
    intake(store, 9, [("hgih", None)])
    other = {"level": MappingRule(mapping="words", vocabulary=("low", "hgih"))}
    worker = threading.Thread(target=propose, args=(store, "raw.metrics", other, run_at(10)))
    with psycopg.connect(url) as hand:
        decide = "update mapping.word_mapping set status = 'approved', decided_by = 'ann', decided_at = now()"
        hand.execute(decide)  # not by our functions, which would wait for the run
        worker.start()
        wait_until_blocked(url)
    worker.join()
    assert usable(store, "words") == {"hgih": "high"}


def wait_until_blocked(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as watcher:
        for _ in range(1000):
            if watcher.execute("select 1 from pg_stat_activity where wait_event_type = 'Lock'").fetchone():
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_a_learned_vocabulary_is_what_people_approved(store: Connection) -> None:
    learned = {"level": MappingRule(mapping="words", vocabulary="learned")}
    cells: Cells = [("Frequent", None), ("frequent ", None), ("freqeunt", None), ("rare", None)]
    intake(store, 9, cells, learned)
    assert usable(store, "words") == {}
    approve(store, "level", "Frequent", value="Frequent", by="ann", at=NOON)
    intake(store, 10, cells, learned)
    assert usable(store, "words") == {"Frequent": "Frequent", "freqeunt": "Frequent", "frequent ": "Frequent"}


def test_a_value_too_long_for_an_index_waits_and_stops_nothing(store: Connection) -> None:
    (found, _) = intake(store, 9, [("\N{GRINNING FACE}" * 20_000, None), ("high", None)])
    assert (found.values, found.rows_waiting, found.values_too_long) == (2, 1, 1)


def test_runs_at_once_end_like_one(store: Connection, url: str) -> None:
    cells: Cells = [(f"hi{n}gh", f"1.{n},5") for n in range(400)] + [("high", "1.234")] * 3
    intake(store, 9, cells)
    alone = state(store)
    empty(store)
    take_in(store, cells)
    failures: list[Exception] = []

    def one() -> None:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                propose(connection, "raw.metrics", COLUMNS, run_at(9))
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=one) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    assert state(store) == alone


def test_a_run_that_breaks_off_leaves_the_tables_as_they_were(store: Connection) -> None:
    intake(store, 9, [("high", "1")])
    before = state(store)
    with pytest.raises(psycopg.errors.UndefinedColumn):
        propose(store, "raw.metrics", {"level": SPEND, "nowhere": SPEND}, run_at(10))
    assert state(store) == before


def test_reading_views_does_not_keep_a_run_from_starting(store: Connection, url: str) -> None:
    ensure_tables(store)
    with psycopg.connect(url) as reader:
        reader.execute("select * from mapping.usable_words")
        store.execute("set lock_timeout = '2s'")
        intake(store, 9, [("high", "1")])


words = st.sampled_from(["high", "HIGH", "hgih", "lov", "low ", "hi", "n/a", "", "zebra", "ambig"])
numbers = st.sampled_from(
    ["1,234", "1.234", "1.5", "2,5", "1.234,5", "$5", "€5", "5", "twelve", "x", "-", "10-20", "5 oz"]
)
intakes = st.lists(st.lists(st.tuples(st.none() | words, st.none() | numbers), max_size=8), min_size=1, max_size=4)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(intakes=intakes, data=st.data())
def test_any_order_of_rows_and_runs_ends_in_the_same_tables(store: Connection, intakes: Any, data: Any) -> None:
    clear = "truncate mapping.word_mapping, mapping.number_mapping, mapping.rules"
    ensure_tables(store)
    store.execute(clear)
    for hour, cells in enumerate(intakes):
        intake(store, hour, cells)
    first = state(store)
    order = data.draw(st.permutations(list(enumerate(intakes))))
    store.execute(clear)
    for hour, cells in [*order, order[0]]:
        intake(store, hour, data.draw(st.permutations(cells)))
    assert state(store) == first

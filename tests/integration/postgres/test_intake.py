"""Intake of CSV files into the operational store, on a real server."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from regulars.errors import ContractError, SourceError, TransientError
from regulars.postgres.intake import CsvFile, take_in
from regulars.postgres.server import start_server, stop_server
from regulars.postgres.store import open_store, store_url
from regulars.run import Run
from regulars.settings import Settings

RUN = Run("run-1", "customer-engagement", date(2026, 1, 5), datetime(2026, 1, 6, 6))
COLUMNS = ("client_name", "sessions", "spend")
TABLE = "client_engagement_metrics"
LEDGER = "select status, revision, rows_loaded, files from ops.ingestion_logs order by started_at"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("store")
    start_server(home)
    yield home
    stop_server(home)


@pytest.fixture
def settings(home: Path, request: pytest.FixtureRequest) -> Settings:
    name = f"store_{abs(hash(request.node.name)) % 10**8}"
    return Settings(_env_file=None, home=home, operational_url=start_server(home).ensure_database(name))


@pytest.fixture
def store(settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    with open_store(settings) as connection:
        yield connection


def csv_file(
    folder: Path, text: str, columns: tuple[str, ...] = COLUMNS, name: str = "sheet.csv", **more: Any
) -> CsvFile:
    path = folder / name
    path.write_bytes(text.encode())
    return CsvFile(path, columns, skip=text.encode().index(b"\n") + 1, **more)


def rows(store: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    return store.execute(f"select _row, client_name, sessions, spend from raw.{TABLE} order by _row").fetchall()


def test_cells_arrive_as_the_text_they_are(store: psycopg.Connection[Any], tmp_path: Path) -> None:
    file = csv_file(
        tmp_path,
        'Client,Sessions,Spend\r\n  Ｂøhm & Sons ,"12","1.234,56 €"\r\n"a ""quoted""\nname",,""\r\n\\N,007,-\r\n',
    )
    taken = take_in(store, TABLE, COLUMNS, file, RUN)
    assert rows(store) == [
        (2, "  Ｂøhm & Sons ", "12", "1.234,56 €"), (3, 'a "quoted"\nname', None, ""), (4, "\\N", "007", "-"),
    ]  # fmt: skip
    assert (taken.rows, taken.created) == (3, True)
    assert taken.bytes == file.path.stat().st_size - file.skip


@pytest.mark.parametrize("filled", [0, 10_000], ids=["at the start", "after the first piece"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_empty_cells_and_blank_rows_of_an_export_wherever_they_stand(
    filled: int, end: str, store: psycopg.Connection[Any], tmp_path: Path
) -> None:
    lines = ["Client,Sessions,Spend", *(f"client {n},{n},1" for n in range(filled))]
    lines += ['"","12",""', ",,", '"",,""', '"a ""quoted"" name",,', '"b', "", 'c",,""', '""",",2,', ",,"]
    file = csv_file(tmp_path, end.join(lines), is_export=True)
    taken = take_in(store, TABLE, COLUMNS, file, RUN)
    assert rows(store)[filled:] == [
        (filled + 2, None, "12", None), (filled + 5, 'a "quoted" name', None, None),
        (filled + 6, f"b{end}{end}c", None, None), (filled + 7, '",', "2", None),
    ]  # fmt: skip
    assert taken.rows == filled + 4 and store.execute(f"select count(*) from raw.{TABLE}").fetchone() == (taken.rows,)


def test_the_same_file_again_changes_nothing(store: psycopg.Connection[Any], tmp_path: Path) -> None:
    file = csv_file(tmp_path, "Client,Sessions,Spend\na,1,2\n")
    first = take_in(store, TABLE, COLUMNS, file, RUN)
    written = store.execute(f"select xmin from raw.{TABLE}").fetchall()
    again = take_in(store, TABLE, COLUMNS, file, RUN)
    assert not again.created and again.content == first.content and again.rows == 1
    assert store.execute(f"select xmin from raw.{TABLE}").fetchall() == written
    take_in(store, TABLE, COLUMNS, file, RUN, refresh=True)
    changed = csv_file(tmp_path, "Client,Sessions,Spend\na,1,3\n")
    take_in(store, TABLE, COLUMNS, changed, RUN)
    assert store.execute(LEDGER).fetchall() == [("loaded", n, 1, "sheet.csv") for n in (1, 2, 3)]
    assert rows(store) == [(2, "a", "1", "3")]


def test_columns_may_come_in_any_order_and_some_may_be_new(store: psycopg.Connection[Any], tmp_path: Path) -> None:
    take_in(store, TABLE, COLUMNS[:2], csv_file(tmp_path, "Client,Sessions\na,1\n", COLUMNS[:2]), RUN)
    file = csv_file(tmp_path, "Tab,Row,Spend,Client\n2023,17,5,b\n", ("_tab", "_row", "spend", "client_name"))
    take_in(store, TABLE, COLUMNS, file, RUN)
    assert rows(store) == [(17, "b", None, "5")]
    assert store.execute(f"select _tab from raw.{TABLE}").fetchall() == [("2023",)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Client,Sessions,Spend\na,1,2\nb,1,2,secret\n", "sheet.csv: row 3: extra data after last expected column"),
        ('Client,Sessions,Spend\n"a\nb",1,2\nsecret,1\n', "sheet.csv: row 3: missing data for column"),
        ('Client,Sessions,Spend\na,1,2\n"secret,1,2\n', "unterminated CSV quoted field"),
        ("Client,Sessions,Spend\na,1,2\nb\0,1,secret\n", "sheet.csv: row 3: invalid byte sequence for encoding"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_leaves_what_was_there(
    store: psycopg.Connection[Any], tmp_path: Path, text: str, said: str
) -> None:
    take_in(store, TABLE, COLUMNS, csv_file(tmp_path, "Client,Sessions,Spend\nkept,1,2\n"), RUN)
    with pytest.raises(ContractError) as caught:
        take_in(store, TABLE, COLUMNS, csv_file(tmp_path, text), RUN)
    assert said in caught.value.message and "secret" not in str(caught.value)
    assert rows(store) == [(2, "kept", "1", "2")]
    assert [row[0] for row in store.execute(LEDGER).fetchall()] == ["loaded", "failed"]


def _take_slowly(settings: Settings, file: CsvFile, reached: Any) -> None:
    with open_store(settings) as store, store.transaction():
        take_in(store, TABLE, COLUMNS, file, RUN)
        reached.set()  # taken in, not committed
        time.sleep(60)


def test_a_killed_intake_leaves_the_table_as_it_was(
    settings: Settings, store: psycopg.Connection[Any], tmp_path: Path
) -> None:
    take_in(store, TABLE, COLUMNS, csv_file(tmp_path, "Client,Sessions,Spend\nkept,1,2\n"), RUN)
    file = csv_file(tmp_path, "Client,Sessions,Spend\n" + "lost,1,2\n" * 50_000, name="next.csv")
    context = multiprocessing.get_context("spawn")
    reached = context.Event()
    child = context.Process(target=_take_slowly, args=(settings, file, reached))
    child.start()
    assert reached.wait(60) and child.pid
    os.kill(child.pid, signal.SIGKILL)
    child.join(30)
    assert rows(store) == [(2, "kept", "1", "2")]
    assert take_in(store, TABLE, COLUMNS, file, RUN).rows == 50_000


def test_two_intakes_at_once_make_one(settings: Settings, store: psycopg.Connection[Any], tmp_path: Path) -> None:
    file = csv_file(tmp_path, "Client,Sessions,Spend\n" + "a,1,2\n" * 20_000)

    def one(_: int) -> bool:
        with open_store(settings) as own:
            return take_in(own, TABLE, COLUMNS, file, RUN).created

    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(one, range(4)))
    assert sorted(created) == [False, False, False, True]
    assert store.execute(f"select count(*) from raw.{TABLE}").fetchone() == (20_000,)


def test_a_table_that_somebody_holds_is_waited_for_and_then_said(settings: Settings, tmp_path: Path) -> None:
    file = csv_file(tmp_path, "Client,Sessions,Spend\na,1,2\n")
    hasty = settings.model_copy(update={"lock_timeout_seconds": 0.2})
    with open_store(settings) as reader, open_store(hasty) as writer:
        take_in(reader, TABLE, COLUMNS, file, RUN)
        with reader.transaction():
            reader.execute(f"lock table raw.{TABLE} in access share mode")
            with pytest.raises(TransientError, match="another session holds the table"):
                take_in(writer, TABLE, COLUMNS, file, RUN, refresh=True)


def test_no_password_or_address_is_said(settings: Settings) -> None:
    url = store_url(settings)
    host = url.partition("host=")[2]
    wrong = [f"postgresql://nobody:hunter2@/postgres?host={host}", "postgresql://u:hunter2@127.0.0.1:1/x"]
    for one in wrong:
        with pytest.raises((SourceError, TransientError)) as caught, open_store(settings.model_copy(update={
            "operational_url": type(settings.operational_url)(one)})):  # fmt: skip
            pass
        assert (
            "hunter2" not in str(caught.value)
            and "127.0.0.1" not in str(caught.value)
            and host not in str(caught.value)
        )
        assert caught.value.__cause__ is None

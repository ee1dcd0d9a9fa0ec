"""Landing by kind `sql` from a real MariaDB and a real PostgreSQL: values, windows, faults, secrets, memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from regulars.errors import ConfigError, ContractError, RegularsError, SourceError, TransientError
from regulars.landing import land, plan_extract
from regulars.manifest import landed_days
from regulars.postgres.server import start_server, stop_server
from regulars.sources.config import Connection
from regulars.sources.postgres_session import shared_snapshot, with_snapshot
from regulars.sources.sql_address import address_of
from regulars.sources.sql_process import sql_process
from regulars.storage import open_storage
from tests.integration.landing.mariadb_server import MariaDB, make_certificate, mariadb_server

COLUMNS = {"id": "id", "email": "mail", "tier": "null"}
ROWS = """
 (1, 'a', 1.50, '2026-01-25', '2026-01-25 08:00:00', true), (2, 'Ünï 😀', 2.555, null, '2026-01-24 08:00:00', null),
 (4, null, 99999.00, null, '2026-01-24 08:00:00', null), (5, 'e', 1, null, null, false),
 (6, 'f', 1, null, '2026-01-20 08:00:00', null), (7, 'g', 1, null, '2026-01-26 00:00:00', null)
"""
TYPES = """create table kinds (id int unsigned primary key, email varchar(20) character set latin1, amount decimal(7,2),
 born_on date, seen_at timestamp(6) null, is_member tinyint(1), tier enum('gold', 'silver'), big bigint unsigned,
 wide decimal(65,20), moved_at datetime(6), lasted time, flags bit(64), raw varbinary(4), facts json)"""
KINDS = """insert into kinds values
 (1, 'Müller', 1.50, '2026-01-25', '2026-01-25 08:00:00.25', 1, 'gold', 18446744073709551615,
  123456789012345678901234567890123456789012345.12345678901234567890, '2026-01-25 08:00:00.123456', '-12:30:00',
  b'1000000000000000000000000000000000000000000000000000000000000001', x'41c3bc', '{"a": 1}'),
 (2, '', -0.01, '0000-00-00', '0000-00-00', 2, 'silver', 0, 0, '0000-00-00', '838:59:59', b'0', '', '[]'),
 (3, null, null, null, null, null, null, null, null, null, null, null, null, null)"""


@pytest.fixture(scope="module")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    folder = tmp_path_factory.mktemp("mariadb")
    key, certificate = make_certificate(folder)
    with mariadb_server(folder, f"--ssl-cert={certificate}", f"--ssl-key={key}") as server:
        server.run(
            "create table people (id int primary key, mail varchar(20), amount decimal(10,3), born_on date, "
            "seen_at timestamp null, is_member bool, surplus varchar(36) default uuid())",
            f"insert into people (id, mail, amount, born_on, seen_at, is_member) values {ROWS}",
            TYPES,
            "set sql_mode = ''",
            KINDS,
        )
        yield server


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    address = start_server(home).uri()
    with psycopg.connect(address, autocommit=True) as session:
        session.execute("create table people (id int, mail text, amount numeric, born_on date, seen_at timestamptz, "
                        "is_member boolean, surplus uuid default gen_random_uuid())")  # fmt: skip
        session.execute(f"set timezone = 'UTC'; insert into people values {ROWS}")
    yield address
    stop_server(home)


@pytest.fixture(params=["mariadb", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    found = request.getfixturevalue(request.param)
    return found if isinstance(found, str) else found.url


def _land(place, url: str, contract=None, *, options=None, snapshot=None, kind="sql", run=None, **entry):
    sources = place.sources(Connection(kind=kind, url=url, options=options or {}), **entry)
    if snapshot:
        sources = with_snapshot(sources, "place", snapshot)
    return land(contract or place.contract(), sources, place.settings, run or place.run()).manifest


def test_values_arrive_exactly_and_wrong_ones_go_to_quarantine(place, url: str) -> None:
    manifest = _land(place, url, table="people", columns=COLUMNS, source_where="id < 6", where="id <> 3")
    assert place.rows(manifest, "id, email, amount, born_on, seen_at, is_member") == [
        (1, "a", Decimal("1.50"), date(2026, 1, 25), datetime(2026, 1, 25, 8), True, 1),
        (5, "e", Decimal("1.00"), None, None, False, 4),
    ]
    assert place.rejects(manifest, "record_number, rule, source") == [
        (2, "type", "place.people"),
        (3, "max", "place.people"),
    ]


def test_the_same_rows_as_by_kind_postgres(place, make_place, postgres: str) -> None:
    entry = {"table": "public.people", "columns": COLUMNS}
    other = make_place()
    facts = "id, email, amount, born_on, seen_at, is_member"
    assert place.rows(_land(place, postgres, **entry), facts) == other.rows(
        _land(other, postgres, kind="postgres", **entry), facts
    )


@pytest.mark.parametrize("entry", [{"table": "people"}, {"query": "select * from people where id < 100"}])
def test_the_window_is_pushed_down_and_keeps_rows_without_a_time(place, url: str, entry) -> None:
    contract = place.contract(mode="upsert", event_time="seen_at", lookback_days=1)
    manifest = _land(place, url, contract, columns=COLUMNS, cursor="seen_at", **entry)
    assert (manifest.rows_read, manifest.rows_filtered) == (4, 0)
    assert [row[0] for row in place.rows(manifest)] == [1, 5]
    sources = place.sources(Connection(kind="sql", url=url), columns=COLUMNS, **entry)
    (plan,) = plan_extract(contract, sources, place.settings, date(2026, 1, 25))
    assert plan["window_is_pushed_down"]
    assert "surplus" not in plan["columns"] and "2026-01-24 00:00:00" in plan["query"]


def test_a_query_is_given_its_day(place, url: str) -> None:
    query = "select * from people where seen_at >= {window_start} and seen_at < {window_end} and born_on = {as_of};"
    assert [row[0] for row in place.rows(_land(place, url, query=query, columns=COLUMNS))] == [1]


def test_every_type_of_mariadb_is_carried_whole_or_seen(place, mariadb: MariaDB) -> None:
    """Zero dates, a boolean that is 2, and what no type of ours holds: nothing changes in silence."""
    contract = place.contract(on_drift="evolve")
    manifest = _land(place, mariadb.url, contract, table="erp.kinds")
    assert place.rows(manifest, "id, email, amount, born_on, seen_at, is_member, tier") == [
        (1, "Müller", Decimal("1.50"), date(2026, 1, 25), datetime(2026, 1, 25, 8, 0, 0, 250000), True, "gold", 1),
        (3, None, None, None, None, None, None, 3),
    ]
    ((number, rule, reason),) = place.rejects(manifest, "record_number, rule, reason")
    assert (number, rule) == (2, "min")
    contract = place.contract(columns=contract.columns[:2] + contract.columns[3:], on_drift="evolve")
    ((_, rule, reason),) = place.rejects(_land(place, mariadb.url, contract, run=place.run(date(2026, 1, 26)), table="kinds"),
                                         "record_number, rule, reason")  # fmt: skip
    assert (rule, reason) == ("type", "born_on: 0000-00-00 is not date")
    read = {"null_values": ["0000-00-00", "0000-00-00 00:00:00.000000Z"]}
    columns = {"is_member": "is_member > 0"}
    manifest = _land(
        place, mariadb.url, contract, run=place.run(date(2026, 1, 27)), table="kinds", read=read, columns=columns
    )
    assert manifest.rows_loaded == 3


def test_texts_of_mariadb_keep_every_digit(place, mariadb: MariaDB) -> None:
    from regulars.contracts import Column

    names = {"big": "decimal(20,0)", "wide": "varchar", "moved_at": "timestamp", "lasted": "varchar",
             "flags": "decimal(20,0)", "raw": "varchar", "facts": "varchar"}  # fmt: skip
    columns = (place.contract().columns[0], *(Column(name=n, data_type=t, description="d") for n, t in names.items()))
    contract = place.contract(columns=columns, on_drift="evolve")
    manifest = _land(place, mariadb.url, contract, table="kinds", source_where="id = 1")
    assert place.rows(manifest, ", ".join(names)) == [
        (Decimal("18446744073709551615"), "123456789012345678901234567890123456789012345.12345678901234567890",
         datetime(2026, 1, 25, 8, 0, 0, 123456), "-12:30:00", Decimal((1 << 63) + 1), "Aü", '{"a": 1}', 1)
    ]  # fmt: skip


def test_a_zone_is_for_moments_without_one(place, mariadb: MariaDB) -> None:
    columns = {"id": "id", "seen_at": "seen_at", "email": "cast(moved_at as varchar)"}
    contract = place.contract(on_drift="evolve")
    manifest = _land(place, mariadb.url, contract, table="kinds", columns={**columns, "born_on": "null", "tier": "null"},
                     read={"timezone": "Europe/Berlin"}, source_where="id = 1")  # fmt: skip
    assert place.rows(manifest, "seen_at") == [(datetime(2026, 1, 25, 8, 0, 0, 250000), 1)]
    columns = {**columns, "seen_at": "moved_at"}
    manifest = _land(place, mariadb.url, contract, run=place.run(date(2026, 1, 26)), table="kinds",
                     columns={**columns, "born_on": "null", "tier": "null"}, read={"timezone": "Europe/Berlin"},
                     source_where="id = 1")  # fmt: skip
    assert place.rows(manifest, "seen_at") == [(datetime(2026, 1, 25, 7, 0, 0, 123456), 1)]


def test_a_missing_column_is_named(place, url: str) -> None:
    with pytest.raises(ContractError, match=r"place.people.*missing: email.*Found: id, "):
        _land(place, url, table="people", source_where="id = 1")


def test_what_is_wrong_is_said_without_secrets_or_values(place, url: str, mariadb: MariaDB) -> None:
    def fails(kind: type[RegularsError], said: str, address: str = url, **entry: object) -> None:
        with pytest.raises(kind, match=said) as error:
            _land(place, address, **{"columns": COLUMNS, **entry})
        assert error.value.remedy and "p%40ss" not in str(error.value) and "p@ss" not in str(error.value)

    fails(SourceError, "does not exist", table="nowhere")
    fails(SourceError, "column nope does not exist", query="select nope from people")
    fails(SourceError, "syntax error", query="selec")
    fails(SourceError, "syntax error", table="people", source_where="id <")
    fails(ConfigError, "needs table or query")
    fails(ConfigError, "cursor: 'nope' is not a column", table="people", cursor="nope",
          contract=place.contract(mode="append", event_time="seen_at"))  # fmt: skip
    fails(TransientError, "cannot be reached", "mysql://reader:p%40ss@127.0.0.1:1/erp", table="people")
    before = mariadb.run("select variable_value from information_schema.global_status where variable_name = "
                         "'ABORTED_CONNECTS'")  # fmt: skip
    fails(SourceError, "refused the login", f"mysql://reader:p%40ssx@127.0.0.1:{mariadb.port}/erp", table="people")
    after = mariadb.run("select variable_value from information_schema.global_status where variable_name = "
                        "'ABORTED_CONNECTS'")  # fmt: skip
    assert int(after) - int(before) <= 2  # a password that is tried again and again locks accounts


def test_encryption_can_be_demanded(mariadb: MariaDB) -> None:
    mariadb.run("create user secret identified by 'x' require ssl", "grant select on erp.* to secret")
    url = f"mysql://secret:x@127.0.0.1:{mariadb.port}/erp"
    query = "select variable_value from information_schema.session_status where variable_name = 'SSL_CIPHER'"
    demanded = f"{url}?ssl-mode=VERIFY_IDENTITY&ssl-ca={mariadb.socket.with_name('certificate.pem')}"
    with sql_process(address_of("erp", Connection(kind="sql", url=demanded))) as process:
        assert "AES" in process.ask(query)["rows"][0][0]
    for parameters, said in (("", "refused the login"), ("?ssl-mode=VERIFY_IDENTITY", "encryption")):
        address = address_of("erp", Connection(kind="sql", url=url + parameters))
        with pytest.raises(SourceError, match=said), sql_process(address) as process:
            process.ask(query)


def test_a_connection_that_is_cut_leaves_nothing_and_is_tried_again(place, mariadb: MariaDB) -> None:
    query = "select seq as id, sleep(if(seq = 50000, 30, 0)) as mail from seq_1_to_100000"
    entry = {
        "query": query,
        "columns": {"id": "id", "email": "cast(mail as varchar)", "amount": "null", "born_on": "null"},
    }
    contract = place.contract(columns=place.contract().columns[:4])
    errors: list[Exception] = []

    def read() -> None:
        try:
            _land(place, mariadb.url, contract, options={"fetch_size": 1000}, **entry)
        except TransientError as error:
            errors.append(error)

    reading = threading.Thread(target=read)
    reading.start()
    until = time.monotonic() + 20
    while not (found := mariadb.run("select id from information_schema.processlist where info like '%sleep(if%' "
                                    "and user = 'reader' and time_ms > 500").split()) and time.monotonic() < until:  # fmt: skip
        time.sleep(0.1)
    mariadb.run(f"kill {found[0]}")
    reading.join(timeout=20)
    assert [str(error) for error in errors if "broke off" in str(error)]
    storage = open_storage(place.settings.landing_root, place.settings.s3)
    assert list(landed_days(storage, "people")) == []
    assert list((place.settings.home_dir).rglob("source.parquet")) == []
    manifest = _land(place, mariadb.url, contract, **{**entry, "query": query.replace("30", "0")})
    assert manifest.rows_loaded == 100_000


def test_waiting_has_an_end(place, mariadb: MariaDB) -> None:
    slow = {"query": "select *, sleep(20) as mail from kinds", "columns": {**COLUMNS, "email": "mail"}}
    began = time.monotonic()
    with pytest.raises(TransientError, match="statement timeout"):
        _land(place, mariadb.url, options={"statement_timeout_seconds": 1}, **slow)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"mysql://u:p@127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(TransientError, match="sent nothing for 1 seconds"):
            _land(place, address, options={"silence_timeout_seconds": 1}, table="people")
    assert time.monotonic() - began < 15
    gone = "select count(*) from information_schema.processlist where user = 'reader' and info like '%sleep(20)%'"
    assert mariadb.run(gone).strip() == "0"


def test_memory_does_not_grow_with_the_table(tmp_path: Path, mariadb: MariaDB) -> None:
    query = "select seq as id, repeat('x', 500) as words from seq_1_to_{}"
    peaks = []
    for rows in (50_000, 500_000):
        with sql_process(address_of("erp", Connection(kind="sql", url=mariadb.url))) as process:
            assert process.ask(query.format(rows), tmp_path / f"{rows}.parquet")["read"] == rows
            peaks.append(_peak_bytes(process._process.pid))
    assert peaks[1] < 200 << 20, peaks  # the rows are 260 MB


def test_one_moment_for_a_whole_postgresql(place, make_place, postgres: str) -> None:
    connection = Connection(kind="sql", url=postgres)
    with shared_snapshot(connection) as snapshot:
        with psycopg.connect(postgres, autocommit=True) as session:
            session.execute("insert into people (id, mail) values (99, 'late')")
        try:
            before = _land(place, postgres, table="people", columns=COLUMNS, snapshot=snapshot)
            after = _land(make_place(), postgres, table="people", columns=COLUMNS)
        finally:
            with psycopg.connect(postgres, autocommit=True) as session:
                session.execute("delete from people where id = 99")
    assert after.rows_read - before.rows_read == 1


def test_a_source_is_only_read(postgres: str, mariadb: MariaDB) -> None:
    for url in (postgres, mariadb.url):
        with (
            sql_process(address_of("erp", Connection(kind="sql", url=url))) as process,
            pytest.raises(SourceError),
        ):
            process.ask("delete from people")
    assert mariadb.run("select count(*) from people").strip() == "6"


def _peak_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))

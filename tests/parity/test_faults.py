"""Everything that an account or the way to it does wrong ends in words a person can act on, or in the same tables."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from breaking import Fault, broken
from pydantic import SecretStr
from test_warehouse import CONTRACTS, DAY, NOW, ORDERS, RUN, land

from regulars.errors import ConfigError, EngineError, RegularsError, TransientError
from regulars.settings import Settings
from regulars.warehouse import open_warehouse

pytestmark = [pytest.mark.parity, pytest.mark.usefixtures("emulated")]
CANARY = "zqs-canary-53"


@pytest.fixture
def hasty(on_snowflake: Settings) -> Settings:
    """A client that gives a lost connection up after seconds; every credential it has is a canary."""
    secret = SecretStr(CANARY)
    access = on_snowflake.snowflake.model_copy(
        update={
            "network_timeout_seconds": 2,
            "login_timeout_seconds": 2,
            "password": secret,
            "private_key_passphrase": secret,
        }
    )
    return on_snowflake.model_copy(update={"snowflake": access})


@pytest.fixture(autouse=True)
def nothing_is_told(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> Any:
    """Whatever a test provokes: no log line and no file holds a credential."""
    caplog.set_level(logging.DEBUG)
    yield
    assert CANARY not in caplog.text
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault("^login by regulars$", "refuse", 390100, "Incorrect username or password was specified."), ConfigError, "refused the login"),
        (Fault("^login by regulars$", "refuse", 390144, f"JWT token is invalid: {CANARY}"), ConfigError, "refused the login"),
        (Fault("^login by regulars$", "refuse", 390422, "Incoming request with IP 10.0.0.1 is not allowed"), ConfigError, "refused the login"),
        (Fault("^login by regulars$", "refuse", 390189, "Role 'LOADER' specified in the connect string does not exist"), ConfigError, "refused"),
        (Fault("create schema|create table", "refuse", 3001, "Insufficient privileges to operate on database 'REGULARS'."), ConfigError, "grant"),
        (Fault("create table", "refuse", 606, "No active warehouse selected in the current session."), ConfigError, "WAREHOUSE"),
        (Fault("create table", "refuse", 90073, "Warehouse 'REGULARS_XS' cannot be resumed: quota exceeded."), ConfigError, "WAREHOUSE"),
        (Fault("create table", "refuse", 604, "SQL execution canceled"), TransientError, "again"),
        (Fault("create table", "lose"), TransientError, "again"),
        (Fault("^login by regulars$", "lose"), TransientError, "again"),
    ],
    ids=lambda value: str(getattr(value, "number", "")) or None,
)  # fmt: skip
def test_what_the_account_refuses_is_said_in_words(
    hasty: Settings, fault: Fault, kind: type[Exception], words: str
) -> None:
    fault.struck.clear()
    with broken(fault), pytest.raises(RegularsError) as refused, open_warehouse(hasty) as warehouse:
        warehouse.prepare(CONTRACTS)
    assert type(refused.value) is kind and words in str(refused.value)
    assert CANARY not in str(refused.value) and refused.value.remedy


@pytest.mark.parametrize(
    "pattern", ["^put ", "^copy into", "insert into ops.ingestion_logs", "^commit$", "^begin$", "^remove "]
)
@pytest.mark.parametrize("kind", ["lose", "lose_answer"])
def test_a_connection_that_is_cut_in_a_load_costs_a_second_attempt(hasty: Settings, pattern: str, kind: Any) -> None:
    """The statement, or only its answer, is lost for longer than the client waits: a second attempt loads once."""
    manifest = land(hasty, DAY, 4)
    with open_warehouse(hasty) as warehouse:
        warehouse.prepare(CONTRACTS)
        with broken(Fault(pattern, kind)), pytest.raises(TransientError):
            warehouse.load(ORDERS, [manifest], RUN, NOW)
    with open_warehouse(hasty) as warehouse:  # as a retry, or the next run, does
        warehouse.load(ORDERS, [manifest], RUN, NOW)
        assert warehouse.query("select count(*), count(distinct order_id) from raw.orders") == [(5, 5)]
        assert warehouse.query("select count(*) from ops.ingestion_logs") == [(1,)]
        assert warehouse.query('select count(*) from quarantine."ROWS"') == [(1,)]


def test_an_answer_that_is_lost_once_is_asked_for_again(hasty: Settings) -> None:
    """The connector repeats by itself what it has no answer to."""
    patient = hasty.model_copy(update={"snowflake": hasty.snowflake.model_copy(update={"network_timeout_seconds": 20})})
    manifest = land(hasty, DAY, 4)
    with open_warehouse(patient) as warehouse:
        warehouse.prepare(CONTRACTS)
        with broken(Fault("^commit$", "lose_answer", times=1)):
            warehouse.load(ORDERS, [manifest], RUN, NOW)
        assert warehouse.query("select count(*) from raw.orders") == [(5,)]


def test_a_stage_that_was_dropped_is_named(hasty: Settings) -> None:
    manifest = land(hasty, DAY, 4)
    with open_warehouse(hasty) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.execute("drop stage raw.uploads")
        with pytest.raises(ConfigError, match="UPLOADS"):
            warehouse.load(ORDERS, [manifest], RUN, NOW)
        assert warehouse.query("select count(*) from raw.orders") == [(0,)]
        warehouse.prepare(CONTRACTS)
        warehouse.load(ORDERS, [manifest], RUN, NOW)
        assert warehouse.query("select count(*) from raw.orders") == [(5,)]


def test_a_landed_file_that_changed_is_not_loaded(hasty: Settings) -> None:
    manifest, other = land(hasty, DAY, 4), land(hasty, DAY, 2, revision=2)
    folder = hasty.home_dir / "landing"
    one, two = (folder / batch.folder / "part-0000.parquet" for batch in (manifest, other))

    def swap() -> None:
        one.write_bytes(two.read_bytes())

    with open_warehouse(hasty) as warehouse:
        warehouse.prepare(CONTRACTS)
        with broken(Fault("^put ", "call", action=swap)), pytest.raises(EngineError, match="3 rows were copied"):
            warehouse.load(ORDERS, [manifest], RUN, NOW)
        assert warehouse.query("select count(*) from raw.orders") == [(0,)]


def test_readers_keep_what_they_have_when_a_publication_is_cut(hasty: Settings) -> None:
    from regulars.warehouse.published import read_published

    with open_warehouse(hasty) as warehouse:
        warehouse.prepare(CONTRACTS)
        warehouse.execute("create table marts.sales as select 1 as id")
        warehouse.publish(["marts"])
        warehouse.execute("insert into marts.sales values (2)")
        with broken(Fault(" clone ", "lose")), pytest.raises(TransientError):
            warehouse.publish(["marts"])
        with read_published(hasty) as reader:
            assert reader.query("select count(*) from marts.sales") == [(1,)]
        warehouse.publish(["marts"])
    with read_published(hasty) as reader:
        assert reader.query("select count(*) from marts.sales") == [(2,)]

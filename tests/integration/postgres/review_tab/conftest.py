"""A server that speaks the API of Google Sheets, a real PostgreSQL with ten proposals, and the request for the tab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from regulars.cleansing.rules import MappingRule
from regulars.postgres.mappings import propose
from regulars.postgres.server import stop_server
from regulars.postgres.store import open_store
from regulars.settings import Settings
from regulars.sources.base import Request
from regulars.sources.review_tab import review_request
from tests.integration.landing.sheets_server import Book, Server, Tab, sheets_server
from tests.integration.postgres.review_tab.tabs import KEY, RUN, Store, google

COLUMNS = {"level": MappingRule(mapping="words", vocabulary=("high", "low")), "spend": MappingRule(mapping="numbers")}
CELLS = [("high", "5"), ("hihg", "10-20"), ("=hgih", "n/a"), ("zebra", "5 oz"), ("HIGH", "-5")]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with sheets_server() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    running.books = {KEY: Book("ClientData_2023", {"2023": Tab([["Client ID"], ["C1"]])})}
    running.faults, running.asked = [], []
    yield running
    assert running.faults == [], "a fault that was never met tests nothing"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = Settings(_env_file=None, home=tmp_path_factory.mktemp("review"))
    yield settings
    stop_server(settings.home_dir)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with open_store(settings) as connection:
        connection.execute("drop schema if exists mapping cascade; drop table if exists raw.metrics")
        connection.execute("create table raw.metrics (level text, spend text)")
        with connection.cursor() as cursor:
            cursor.executemany("insert into raw.metrics values (%s, %s)", CELLS)
        propose(connection, "raw.metrics", COLUMNS, RUN)
        yield connection


@pytest.fixture
def request_(server: Server, settings: Settings) -> Request:
    return review_request(google(server), settings, RUN.as_of)

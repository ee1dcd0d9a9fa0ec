"""Review of mappings in a tab: a Google spreadsheet through gspread, from a server that speaks its API, and a file; a real PostgreSQL."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import yaml
from typer.testing import CliRunner

from flows.__main__ import app
from regulars.cleansing.decisions import FIELDS, STATUSES
from regulars.cleansing.rules import MappingRule
from regulars.errors import ConfigError, ContractError, SourceError, TransientError
from regulars.postgres.mapping_review import Decided, approve, list_mappings, reject
from regulars.postgres.mappings import propose
from regulars.postgres.review import Reviewed, show_review, take_over_review
from regulars.postgres.server import stop_server
from regulars.postgres.store import open_store
from regulars.run import Run
from regulars.settings import Settings
from regulars.sources.base import Request
from regulars.sources.config import Connection, Sources, TableSource
from regulars.sources.review_tab import read_review, review_request
from tasks.context import RunContext
from tasks.review import take_review
from tasks.way import WAITING
from tests.integration.landing.faulty_http import resets
from tests.integration.landing.sheets_faults import Refused, edits, fails
from tests.integration.landing.sheets_server import EMAIL, Book, Server, Tab, sheets_server

Store = psycopg.Connection[Any]
KEY = "1AbCdEfGhIjKlMnOpQrStUvWxYz_0123456789-abcd"
COLUMNS = {"level": MappingRule(mapping="words", vocabulary=("high", "low")), "spend": MappingRule(mapping="numbers")}
CELLS = [("high", "5"), ("hihg", "10-20"), ("=hgih", "n/a"), ("zebra", "5 oz"), ("HIGH", "-5")]
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RUN = Run("run", "customer-engagement", date(2026, 1, 31), datetime(2026, 1, 31, 9))
SHORT = ["column", "raw", "status", "canonical"]


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


def google(server: Server, **entry: Any) -> Sources:
    options = {"endpoint": server.address, "silence_timeout_seconds": 20}
    return Sources(
        connections={"operations": Connection(kind="sheet", credentials=server.credentials, options=options)},
        tables={},
        review=TableSource(**{"from": "operations", "spreadsheet": KEY, "tabs": "Mappings", **entry}),
    )


@pytest.fixture
def request_(server: Server, settings: Settings) -> Request:
    return review_request(google(server), settings, RUN.as_of)


def tab_of(server: Server) -> Tab:
    return server.books[KEY].tabs["Mappings"]


def put(server: Server, *rows: list[Any], header: list[str] | None = None) -> None:
    server.books[KEY].tabs["Mappings"] = Tab([header or SHORT, *rows], id=77)
    server.books[KEY].edit += 1


def said(store: Store, column: str, raw: str) -> tuple[Any, ...]:
    (row,) = list_mappings(store, column=column, raw=raw)
    return row["status"], row.get("canonical", row.get("number")), row["decided_by"], row["decided_at"]


def row_of(server: Server, raw: str) -> int:
    return next(number for number, row in enumerate(tab_of(server).cells) if row[2:3] == [raw])


def type_in(server: Server, raw: str, **cells: Any) -> None:
    for name, text in cells.items():
        tab_of(server).cells[row_of(server, raw)][FIELDS.index(name)] = text
    server.books[KEY].edit += 1


def test_what_waits_goes_into_a_new_tab_and_decisions_come_back(
    store: Store, server: Server, request_: Request
) -> None:
    shown = show_review(store, request_, at=NOON, waiting=True)
    assert (shown.mappings, shown.reviewed.decided) == (5, Decided())
    tab = tab_of(server)
    assert tab.cells[0] == list(FIELDS) and len(tab.cells) == 6 and tab.format == "TEXT"
    assert tab.validated == {FIELDS.index("status"): list(STATUSES)}
    assert tab.cells[row_of(server, "=hgih")][:4] == ["level", "words", "=hgih", "high"], "text, and no formula"
    assert server.calls(":batchUpdate") == 1
    type_in(server, "=hgih", status="approved", decided_by="kim")
    type_in(server, "zebra", status="Rejected")
    type_in(server, "10-20", status="approved", number=12.5)
    tab.cells.insert(0, ["Please decide by Friday"])
    server.books[KEY].edit += 1
    found = take_over_review(store, read_review(request_), at=NOON + HOUR)
    assert found == Reviewed(Decided(approved=2, rejected=1))
    assert said(store, "level", "=hgih") == ("approved", "high", "kim", NOON + HOUR)
    assert said(store, "level", "zebra") == ("rejected", None, "Mappings", NOON + HOUR)
    assert float(said(store, "spend", "10-20")[1]) == 12.5
    assert store.execute(WAITING).fetchone() == (2,), "a rejected value is decided"
    before = list_mappings(store)
    again = take_over_review(store, read_review(request_), at=NOON + 9 * HOUR)
    assert (again.decided, list_mappings(store)) == (Decided(unchanged=3), before), "every run reads the same tab"


def test_a_later_decision_holds_until_somebody_edits_the_row(store: Store, server: Server, request_: Request) -> None:
    put(server, ["level", "hihg", "approved", "high"], ["level", "zebra", "approved", "low"])
    assert take_over_review(store, read_review(request_), at=NOON).decided == Decided(approved=2)
    reject(store, "level", "hihg", by="ann", at=NOON + HOUR)
    found = take_over_review(store, read_review(request_), at=NOON + 2 * HOUR)
    assert found.decided == Decided(unchanged=2) and said(store, "level", "hihg")[0] == "rejected"
    assert found.overruled == (
        "row 2: level 'hihg' stays rejected, as ann decided at 2026-01-31 13:00 UTC, later than this row",
    )
    assert take_over_review(store, read_review(request_), at=NOON + 3 * HOUR) == found, "as on every later day"
    tab_of(server).cells[1][3] = "low"  # after the last look: later than ann
    assert take_over_review(store, read_review(request_), at=NOON + 3 * HOUR).decided == Decided(1, 0, 1)
    assert said(store, "level", "hihg") == ("approved", "low", "Mappings", NOON + 3 * HOUR)
    approve(store, "level", "zebra", value="high", by="ann", at=NOON + 4 * HOUR)
    tab_of(server).cells[2][2] = "rejected"  # before or after ann? nobody knows, so hers holds, and is said
    found = take_over_review(store, read_review(request_), at=NOON + 5 * HOUR)
    assert len(found.overruled) == 1 and said(store, "level", "zebra")[:3] == ("approved", "high", "ann")


def test_a_dated_row_is_as_old_as_it_says(store: Store, server: Server, request_: Request) -> None:
    approve(store, "level", "hihg", value="low", by="ann", at=NOON)
    rows = [["level", "hihg", "approved", "high", "bob", (NOON - HOUR).isoformat()],
            ["level", "zebra", "approved", "high", "bob", "2099-01-01"]]  # fmt: skip
    put(server, *rows, header=[*SHORT, "decided_by", "decided_at"])
    assert take_over_review(store, read_review(request_), at=NOON + HOUR).decided == Decided(1, 0, 1)
    assert said(store, "level", "hihg") == ("approved", "low", "ann", NOON)
    assert said(store, "level", "zebra") == ("approved", "high", "bob", NOON + HOUR), "nobody decides in the future"


def test_an_exported_decision_that_is_edited_is_the_editors(store: Store, server: Server, request_: Request) -> None:
    approve(store, "level", "high", by="ann", at=NOON)
    show_review(store, request_, at=NOON + HOUR)
    approve(store, "level", "high", value="low", by="bob", at=NOON + 2 * HOUR)
    server.faults = [(":batchUpdate", fails(500))]
    show_review(store, request_, at=NOON + 3 * HOUR)
    assert tab_of(server).cells[row_of(server, "high")][FIELDS.index("decided_by")] == "bob"
    type_in(server, "high", canonical="high")
    assert take_over_review(store, read_review(request_), at=NOON + 4 * HOUR).decided.approved == 1
    assert said(store, "level", "high") == ("approved", "high", "Mappings", NOON + 4 * HOUR)


def test_one_wrong_row_takes_nothing_over_and_writes_nothing(store: Store, server: Server, request_: Request) -> None:
    put(
        server, ["level", "hihg", "approved", "high"], ["level", "zebra", "approved", "hgih"], ["levl", "x", "rejected"]
    )
    before = list_mappings(store), list(tab_of(server).cells)
    with pytest.raises(ContractError) as caught:
        show_review(store, request_, at=NOON)
    assert str(caught.value).startswith("operations: ClientData_2023!Mappings: row 3: canonical: 'hgih'")
    assert "row 4: column: 'levl'" in str(caught.value) and "correct these rows" in caught.value.remedy
    assert (list_mappings(store), tab_of(server).cells) == before
    put(server, ["level", "unheard of", "rejected", ""])
    with pytest.raises(ContractError, match="Mappings: row 2: raw: 'unheard of' was never seen in column level"):
        take_over_review(store, read_review(request_), at=NOON)
    put(server, ["level", "high"], header=["column", "raw"])
    with pytest.raises(ContractError, match="row 1: columns column, raw, status are needed"):
        read_review(request_)
    put(server, header=[*SHORT, "Status"])
    with pytest.raises(ContractError, match="status stands there twice"):
        read_review(request_)


def test_what_people_typed_stays_where_it_is(store: Store, server: Server, request_: Request) -> None:
    show_review(store, request_, at=NOON, waiting=True)
    tab = tab_of(server)
    for number, row in enumerate(tab.cells):
        row.append("note" if not number else f"note {number}")
    tab.cells[row_of(server, "hihg")][FIELDS.index("canonical")] = "low"  # begun, not decided
    tab.cells[row_of(server, "zebra")][FIELDS.index("decided_by")] = "kim"
    tab.cells.append(["", "", "Total", 5])
    tab.cells[1:6] = reversed(tab.cells[1:6])
    notes = {row[2]: row[-1] for row in tab.cells[1:6]}
    tab.rows, tab.columns = 7, 14  # no row to spare
    server.books[KEY].edit += 1
    type_in(server, "5 oz", status="approved")
    approve(store, "level", "=hgih", by="ann", at=NOON + HOUR)
    shown = show_review(store, request_, at=NOON + HOUR)
    assert (shown.mappings, shown.reviewed.decided) == (10, Decided(approved=1)), "typed and not read yet: read first"
    tab = tab_of(server)
    assert {row[2]: row[-1] for row in tab.cells[1:6]} == notes and tab.cells[6] == ["", "", "Total", 5]
    assert tab.cells[row_of(server, "hihg")][FIELDS.index("canonical")] == "low"
    assert tab.cells[row_of(server, "zebra")][FIELDS.index("decided_by")] == "kim"
    assert tab.cells[row_of(server, "=hgih")][FIELDS.index("status")] == "approved"
    assert len(tab.cells) == tab.rows == 12
    before = server.calls(":batchUpdate")
    assert show_review(store, request_, at=NOON + 2 * HOUR).cells == 0, "nothing is new"
    assert server.calls(":batchUpdate") == before


def test_a_row_that_is_typed_meanwhile_is_not_written_over(store: Store, server: Server, request_: Request) -> None:
    show_review(store, request_, at=NOON)
    approve(store, "level", "high", by="ann", at=NOON)

    def decide() -> None:
        type_in(server, "zebra", status="approved", canonical="low")

    pattern, looked = r"/drive/v3/files/", server.calls(r"/drive/v3/files/")
    read_review(request_)
    times = server.calls(pattern) - looked
    server.faults = [(pattern, lambda handler: False)] * times + [(pattern, edits(decide))]
    shown = show_review(store, request_, at=NOON + HOUR)
    assert shown.reviewed.decided.approved == 1 and said(store, "level", "zebra")[:3] == ("approved", "low", "Mappings")
    assert tab_of(server).cells[row_of(server, "zebra")][FIELDS.index("status")] == "approved"


def test_a_tab_that_is_missing_or_empty_decides_nothing(store: Store, server: Server, request_: Request) -> None:
    found = read_review(request_)
    assert "has no tab 'Mappings'; it has: 2023" in found.note and found.records() == []
    server.books[KEY].tabs["MAPPINGS"] = Tab([], id=78)
    with pytest.raises(ConfigError, match="the tab is called 'MAPPINGS'"):
        show_review(store, request_, at=NOON)
    del server.books[KEY].tabs["MAPPINGS"]
    server.books[KEY].tabs["Mappings"] = Tab([])
    found = read_review(request_)
    assert "is empty" in found.note and take_over_review(store, found, at=NOON) == Reviewed(Decided())
    assert show_review(store, request_, at=NOON).mappings == 10, "it is filled where it stands"


def test_quotas_are_waited_for_and_refusals_say_what_to_do(store: Store, server: Server, request_: Request) -> None:
    server.faults = [(":batchUpdate", fails(429, headers={"Retry-After": "0"}))]
    assert show_review(store, request_, at=NOON).cells > 100
    assert server.calls(":batchUpdate") == 2
    approve(store, "level", "high", by="ann", at=NOON)
    server.books[KEY].editable = False
    with pytest.raises(SourceError) as caught:
        show_review(store, request_, at=NOON)
    assert EMAIL in caught.value.message and "(as an editor)" in caught.value.remedy
    server.books[KEY].editable = True

    def protected(handler: Any) -> bool:
        raise Refused(400, "You are trying to edit a protected cell or object.")

    server.faults = [(":batchUpdate", protected)]
    with pytest.raises(SourceError, match="cells of it are protected"):
        show_review(store, request_, at=NOON)
    assert tab_of(server).cells[row_of(server, "high")][FIELDS.index("status")] == "proposed"


def test_an_answer_that_is_lost_after_the_tab_was_made_changes_nothing(
    store: Store, server: Server, request_: Request
) -> None:
    def done_and_lost(handler: Any) -> bool:
        handler._edited()
        return resets(handler)

    server.faults = [(":batchUpdate", done_and_lost)]
    assert show_review(store, request_, at=NOON).mappings == 10
    assert len(tab_of(server).cells) == 11
    server.books[KEY].tabs.pop("Mappings")
    server.faults = [(":batchUpdate", fails(400))] * 3
    with pytest.raises(TransientError, match="it was edited each time"):
        show_review(store, request_, at=NOON)


def test_a_file_is_the_tab_of_those_who_share_none(
    store: Store, settings: Settings, workbook: Callable[..., None], tmp_path: Path
) -> None:
    sources = Sources(
        connections={"exports": Connection(kind="sheet", path=str(tmp_path))},
        tables={},
        review=TableSource(**{"from": "exports", "path": "review.csv"}),
    )
    request, path = review_request(sources, settings, RUN.as_of), tmp_path / "review.csv"
    excel = {"read": {"encoding": "cp1252", "delimiter": ";"}, "path": "excel.csv"}
    (tmp_path / "excel.csv").write_text("column;raw;status;canonical;größte\n", encoding="cp1252")
    named = sources.model_copy(update={"review": TableSource(**{"from": "exports", **excel})})
    show_review(store, review_request(named, settings, RUN.as_of), at=NOON - HOUR)
    assert (tmp_path / "excel.csv").read_text(encoding="cp1252").startswith("column;raw;status;canonical;größte;number")
    assert "no file" in read_review(request).note
    assert show_review(store, request, at=NOON, waiting=True).mappings == 5
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1][:4] == ["level", "words", "'=hgih", "high"], "guarded, as every file that a spreadsheet opens"
    rows[1][FIELDS.index("status")] = "approved"
    rows = [[*row, "note"] for row in rows]
    path.write_text("Decide!\n\n" + "\n".join(";".join(row) for row in rows))
    assert show_review(store, request, at=NOON + HOUR).reviewed.decided == Decided(approved=1)
    assert said(store, "level", "=hgih")[:3] == ("approved", "high", "review")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "Decide!" and lines[1] == "" and lines[3].startswith("level;words;'=hgih;high;;approved")
    assert lines[3].endswith(";note") and len(lines) == 13
    assert show_review(store, request, at=NOON + 2 * HOUR).cells == 0
    workbook(tmp_path / "review.xlsx", [SHORT, ["level", "zebra", "rejected", ""]], "Mappings")
    other = replace(request, source=request.source.model_copy(update={"path": "review.xlsx"}))
    with pytest.raises(ConfigError, match=r"review\.xlsx is not written"):
        show_review(store, other, at=NOON + 3 * HOUR)
    assert said(store, "level", "zebra")[:3] == ("rejected", None, "Mappings"), "but read"


def test_the_commands(
    store: Store, server: Server, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"from": "operations", "spreadsheet": "ClientData_2023"}
    document = {
        "connections": {"operations": {"kind": "sheet", "credentials": "${TEST_SHEETS_KEY}", "options": {"endpoint": server.address}}},
        "tables": {},
        "sheets": {"client_engagement_metrics": entry},
        "review": {**entry, "tabs": ["Mappings"]},
    }  # fmt: skip
    path = tmp_path / "sources.yml"
    path.write_text(yaml.safe_dump(document))
    for name, value in (("HOME", settings.home_dir), ("SOURCES", path)):
        monkeypatch.setenv(f"REGULARS_{name}", str(value))
    monkeypatch.setenv("TEST_SHEETS_KEY", server.credentials)

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["mappings", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    assert "5 mappings in tab Mappings of ClientData_2023, 78 cells written" in call(
        "export", "--to-review", "--waiting"
    )
    type_in(server, "zebra", status="rejected")
    assert json.loads(call("import", "--from-review", "--json")) == {"approved": 0, "rejected": 1, "unchanged": 0}
    type_in(server, "hihg", status="approved")
    assert "taken over from there first: 1 approved" in call("export", "--to-review", "--column", "level")
    for wrong in (["export"], ["export", "x.csv", "--to-review"], ["import"], ["import", "x.csv", "--from-review"]):
        with pytest.raises(ConfigError, match="and not both"):
            call(*wrong)
    path.write_text(yaml.safe_dump({**document, "review": None}))
    with pytest.raises(ConfigError, match="has no entry review"):
        call("export", "--to-review")


def test_a_run_takes_the_tab_over_and_goes_on_past_a_wrong_row(
    store: Store, server: Server, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    steps: list[dict[str, Any]] = []

    def read(sources: Sources) -> Any:
        context: Any = SimpleNamespace(settings=settings, run=RUN, sources=sources)
        context.step = _recorded(context, steps)
        return take_review.fn(context)

    put(server, ["level", "hihg", "approved", "high"])
    assert (read(google(server)).changed, steps[-1]["approved"]) == (1, 1)
    assert read(google(server)).changed == 0
    put(server, ["level", "hihg", "approved", "low"], ["level", "zebra", "aproved", ""])
    found = read(google(server))
    assert "row 3: status: 'aproved'" in found.wrong and steps[-1]["status"] == "refused"
    assert said(store, "level", "hihg")[1] == "high" and "decisions were not taken over" in caplog.text
    assert read(google(server).model_copy(update={"review": None})).place == ""
    server.books[KEY].shared = False
    with pytest.raises(SourceError, match="may not read it"):
        read(google(server))


def _recorded(context: Any, steps: list[dict[str, Any]]) -> Callable[..., Any]:
    """The real step, whose line in the log is kept for the test."""
    from contextlib import contextmanager

    @contextmanager
    def step(stage: str, table: str = "") -> Iterator[dict[str, Any]]:
        with RunContext.step(context, stage, table) as facts:
            steps.append(facts)
            yield facts

    return step

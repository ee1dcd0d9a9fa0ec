"""Proposals are written into a tab, of a Google spreadsheet through gspread or of a file, and nothing that people typed is lost."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from flows.__main__ import app
from regulars.cleansing.decisions import FIELDS, STATUSES
from regulars.errors import ConfigError, SourceError, TransientError
from regulars.postgres.mapping_review import Decided, approve, list_mappings
from regulars.postgres.review import Reviewed, show_review, take_over_review
from regulars.settings import Settings
from regulars.sources.base import Request
from regulars.sources.config import Connection, Sources, TableSource
from regulars.sources.review_tab import read_review, review_request
from tasks.way import WAITING
from tests.integration.landing.faulty_http import resets
from tests.integration.landing.sheets_faults import Refused, edits, fails
from tests.integration.landing.sheets_server import EMAIL, Server
from tests.integration.postgres.review_tab.tabs import HOUR, KEY, NOON, RUN, SHORT, Store, row_of, said, tab_of, type_in


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

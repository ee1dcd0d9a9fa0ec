"""Decisions that people write into a tab are taken over: which of two holds, whose it is, and what a wrong row does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from regulars.cleansing.decisions import FIELDS
from regulars.errors import ConfigError, ContractError, SourceError
from regulars.postgres.mapping_review import Decided, approve, list_mappings, reject
from regulars.postgres.review import Reviewed, show_review, take_over_review
from regulars.settings import Settings
from regulars.sources.base import Request
from regulars.sources.config import Sources
from regulars.sources.review_tab import read_review
from tasks.context import RunContext
from tasks.review import take_review
from tests.integration.landing.sheets_faults import fails
from tests.integration.landing.sheets_server import Server, Tab
from tests.integration.postgres.review_tab.tabs import (
    HOUR,
    KEY,
    NOON,
    RUN,
    SHORT,
    Store,
    google,
    put,
    row_of,
    said,
    tab_of,
    type_in,
)


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

"""The daily merge as a whole: same landings, same tables, whatever happened on the way."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from flows.ingest import ingest
from flows.loyalty import daily_loyalty_merge
from flows.transform import transform

DAYS = [date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)]
Enter = Callable[[str], Path]


@pytest.mark.whole
def test_days_in_order_twice_out_of_order_and_rebuilt_end_in_equal_tables(
    world: Enter, flow_tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, fingerprint, differences, unbalanced = flow_tools
    home = world("in-order")
    for day in DAYS:
        daily_loyalty_merge(day)
        with opened(home) as warehouse:
            assert unbalanced(warehouse) == []
    with opened(home) as warehouse:
        expected = fingerprint(warehouse)
    assert expected["marts.loyalty_master"][0] > 400
    delivered = {
        path.relative_to(home): path.read_bytes() for path in (home / "deliveries").rglob("*") if path.is_file()
    }
    assert len(delivered) >= 2 * 3 * 4

    daily_loyalty_merge(DAYS[2])
    with opened(home) as warehouse:
        assert differences(fingerprint(warehouse), expected) == [], "the newest day run twice"
    assert {p.relative_to(home): p.read_bytes() for p in (home / "deliveries").rglob("*") if p.is_file()} == delivered

    daily_loyalty_merge(DAYS[1])
    with opened(home) as warehouse:
        found = differences(fingerprint(warehouse), expected)
    # Whoever withdrew consent since is left out of a replay, which may so become a new revision: no old file changes.
    assert [line for line in found if not line.startswith("ops.deliveries")] == [], "a past day run again"
    assert (
        delivered.items()
        <= {p.relative_to(home): p.read_bytes() for p in (home / "deliveries").rglob("*") if p.is_file()}.items()
    )

    transform(DAYS[2], rebuild=True)
    with opened(home) as warehouse:
        found = differences(fingerprint(warehouse), expected)
    assert [line for line in found if not line.startswith("ops.deliveries")] == [], "built again from raw"

    shuffled = world("out-of-order")
    for day in (DAYS[2], DAYS[0], DAYS[1]):
        daily_loyalty_merge(day)
    with opened(shuffled) as warehouse:
        found = fingerprint(warehouse)
    # What was delivered for the last day knew no earlier list when it was made first: lists of changes may differ.
    assert [line for line in differences(found, expected) if not line.startswith("ops.deliveries")] == []

    restored = world("from-landings")
    monkeypatch.setenv("REGULARS_HISTORY_CHUNK_DAYS", "1")  # many chunks must say what one says
    shutil.copytree(home / "landing", restored / "landing")
    ingest(DAYS[2])
    transform(DAYS[2])
    with opened(restored) as warehouse:
        found = fingerprint(warehouse)
    kept = {
        name: value
        for name, value in expected.items()
        if name.startswith(("raw.", "marts.", "quarantine.", "ops.ingestion", "ops.effective"))
    }
    assert differences({name: found.get(name) for name in kept}, kept) == [], "a lost warehouse, from its landings"


@pytest.mark.whole
def test_dbt_nodes_are_task_runs_where_the_setting_asks_for_them(world: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    world("nodes")
    ingest(DAYS[0])
    monkeypatch.setenv("REGULARS_DBT_NODE_TASKS", "true")
    state = transform(DAYS[0], return_state=True)
    assert state.is_completed()
    wanted = {"loyalty_master", "loyalty_history", "int_user_activity_changed", "stg_dw_a__user_profile"}
    expected, found = dict.fromkeys(wanted, "Completed"), dict[str, str]()
    deadline = time.monotonic() + 30  # the server hears of task runs by events, a little later
    with get_client(sync_client=True) as client:
        while found != expected and time.monotonic() < deadline:
            runs = client.read_task_runs(
                flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
            )
            found = {name: run.state_name or "" for run in runs for name in wanted if name in run.name}
            time.sleep(0.5)
    assert found == expected

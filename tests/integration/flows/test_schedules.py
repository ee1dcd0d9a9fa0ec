"""Which day a scheduled run stands for, and that a schedule which fires twice changes nothing the second time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.flow_engine import run_flow
from prefect.states import Scheduled

from flows.ingest import ingest

PARAMETERS: dict[str, Any] = {"fail_on_block": False, "tables": ["region_metadata", "region_thresholds"]}


def run_scheduled(moment: str) -> Any:
    """Run `ingest` as a worker does for a flow run that its schedule made for `moment`."""
    with get_client(sync_client=True) as client:
        planned = client.create_flow_run(
            ingest, parameters=PARAMETERS, state=Scheduled(scheduled_time=datetime.fromisoformat(moment))
        )
    return run_flow(ingest, flow_run=planned, parameters=PARAMETERS)


@pytest.mark.parametrize(
    ("zone", "moments", "day"),
    [
        ("Asia/Kathmandu", ["2026-01-05T18:15:00+00:00", "2026-01-06T18:14:59+00:00"], date(2026, 1, 5)),
        ("America/New_York", ["2026-01-07T05:00:00+00:00", "2026-01-08T04:59:59+00:00"], date(2026, 1, 6)),
    ],
)
def test_a_schedule_that_fires_twice_lands_its_day_once(
    zone: str, moments: list[str], day: date, world: Callable[[str], Path], flow_tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    opened, fingerprint, differences, _ = flow_tools
    home = world("scheduled")
    monkeypatch.setenv("REGULARS_TIMEZONE", zone)
    found = []
    for moment in moments:
        loaded = run_scheduled(moment)
        assert {manifest.as_of for batch in loaded for manifest in batch.new} <= {day}
        with opened(home) as warehouse:
            found.append((fingerprint(warehouse), sum(len(batch.new) for batch in loaded)))
    (first, new), (second, newer) = found
    assert (new, newer) == (2, 0)
    assert differences(first, second) == []

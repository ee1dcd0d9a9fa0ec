"""Names of flow runs: the flow and its business date, also where the date is the default."""

from __future__ import annotations

from prefect.runtime import flow_run

from regulars.batches import default_as_of
from regulars.settings import load_settings


def run_name() -> str:
    day = (flow_run.parameters or {}).get("as_of") or default_as_of(flow_run.scheduled_start_time, load_settings().zone)
    return f"{flow_run.flow_name} {day}"

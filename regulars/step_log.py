"""The machine-readable log of a laptop run: one JSON line per step in `<home>/logs/ingestion.log`."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any

from regulars.run import Run
from regulars.settings import Settings

logger = logging.getLogger("regulars")


def log_step(
    settings: Settings,
    run: Run,
    stage: str,
    *,
    at: datetime,
    seconds: float,
    status: str,
    table: str = "",
    **facts: Any,
) -> None:
    """Append one line; `facts` are counts and names, never values of rows."""
    line = {
        "at": at.isoformat(timespec="milliseconds") + "Z",
        "run_id": run.run_id,
        "flow": run.flow,
        "as_of": run.as_of.isoformat(),
        "stage": stage,
        "table": table,
        "status": status,
        "seconds": round(seconds, 3),
        **facts,
    }
    rows = "".join(
        f"  {name.removeprefix('rows_')} {facts[name]:,}" for name in facts if name.startswith("rows_") and facts[name]
    )
    logger.info("%s  %-14s %-24s %-10s %6.2f s%s", run.as_of, stage, table, status, seconds, rows)
    path = settings.home_dir / "logs" / "ingestion.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, default=str) + "\n")  # one write per line: lines of several processes do not mix

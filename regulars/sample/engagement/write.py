"""The sheet of an evening, as exported to CSV: a title, an empty row, the header, rows, and a total."""

from __future__ import annotations

import csv
import os
from datetime import date
from pathlib import Path

from regulars.errors import ConfigError
from regulars.sample.draws import sample_engine
from regulars.sample.engagement.faults import planted_rows
from regulars.sample.engagement.rows import HEADER, usual_rows
from regulars.sample.engagement.spec import EngagementSpec

SHEET_NAME = "ClientData_2023—EngagementMetrics.csv"
TITLE = "Client engagement, all clients"


def write_sheet(spec: EngagementSpec, evening: date, folder: Path) -> int:
    """Write `<folder>/ClientData_2023—EngagementMetrics.csv` as it is exported on one of the evenings; rows of data in it.

    Equal (spec, evening), equal bytes. The file is replaced as a whole. Raises ConfigError for another day.
    """
    if evening not in spec.evenings:
        days = ", ".join(map(str, spec.evenings))
        raise ConfigError(f"{evening} is no evening of this sheet", remedy=f"name one of {days}")
    engine = sample_engine()
    try:
        rows = engine.execute(f"select {', '.join(HEADER)} from ({usual_rows(spec)})").fetchall()
    finally:
        engine.close()
    planted = [tuple(row.get(name) for name in HEADER) for row in planted_rows(spec, evening)]
    width = len(HEADER)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{SHEET_NAME}.draft"
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([TITLE, *[""] * (width - 1)])
        writer.writerow([""] * width)
        writer.writerow(HEADER.values())
        writer.writerows(rows)
        writer.writerow([""] * width)
        writer.writerows(planted)
        writer.writerow(["Total", f"{len(rows) + len(planted)} rows", *[""] * (width - 2)])
    os.replace(draft, folder / SHEET_NAME)
    return len(rows) + len(planted)

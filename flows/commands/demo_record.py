"""What the parts of `regulars demo` ask of the past and print at their end: days that were run, faults that were caught."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from flows.commands.console import console, print_table
from regulars.contracts import read_contracts
from regulars.settings import Settings
from regulars.warehouse import open_warehouse


class Verdict(NamedTuple):
    """On a planted fault; `missed` is what to say where it was not caught."""

    kind: str
    is_caught: bool
    missed: str


def finished_days(settings: Settings, flow: str) -> dict[date, int]:
    """Business days of which the flow ended well, and how many times it did."""
    if settings.warehouse == "duckdb" and not settings.warehouse_path.exists():
        return {}
    with open_warehouse(settings) as warehouse:
        warehouse.prepare(read_contracts(settings.dbt_project_dir / "models" / "staging"))
        query = "select as_of, count(*) from ops.runs where flow = ? and status = 'completed' group by as_of"
        return dict(warehouse.query(query, [flow]))


def print_caught(title: str, verdicts: Sequence[Verdict]) -> int:
    """Print how many faults of each kind were caught, and each one that was not; the number of those caught."""
    planted = Counter(verdict.kind for verdict in verdicts)
    caught = Counter(verdict.kind for verdict in verdicts if verdict.is_caught)
    print_table(title, ["kind", "planted", "caught"], [(kind, planted[kind], caught[kind]) for kind in sorted(planted)])
    for verdict in verdicts:
        if not verdict.is_caught:
            console.print(f"not caught: {verdict.missed}")
    return caught.total()

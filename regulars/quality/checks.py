"""Results of gates, free of Great Expectations: one `Check` per rule, one `GateResult` per gate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from regulars.errors import GateBlocked

Status = Literal["passed", "failed", "error", "skipped"]
Severity = Literal["block", "warn"]


@dataclass(frozen=True)
class Check:
    """A row of `ops.dq_check_logs`. `checked_at` is the start of the run (UTC), `details` JSON: what the rule says,
    the remedy, up to five sample keys."""

    run_id: str
    layer: str
    table_name: str
    check_name: str
    severity: Severity
    status: Status
    as_of: date
    checked_at: datetime
    kind: str = "gate"
    column_name: str | None = None
    observed_value: str | None = None
    expected: str | None = None
    unexpected_count: int | None = None
    rows_checked: int | None = None
    details: str = "{}"

    @property
    def is_bad(self) -> bool:
        return self.status in ("failed", "error")

    @property
    def facts(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.details)
        return found

    def as_row(self) -> dict[str, Any]:
        """The check by column name, for `Warehouse.record("dq_check_logs", ...)`."""
        return asdict(self)

    def describe(self) -> str:
        """One line for people: table, rule, observed, expected, rows, sample keys."""
        place = f"{self.layer}.{self.table_name}" + (f".{self.column_name}" if self.column_name else "")
        line = f"{place}: {self.check_name}: {self.facts.get('says', '')}"
        if self.status == "error":
            return f"{line} The check itself failed: {self.facts.get('error', 'unknown error')}"
        line += f" Observed {self.observed_value}, expected {self.expected}"
        if self.unexpected_count is not None:
            line += f", {self.unexpected_count:,} rows"
        samples = self.facts.get("samples") or []
        return line + (f", for example {'; '.join(samples)}" if samples else "")


@dataclass(frozen=True)
class GateResult:
    """All checks of one gate, in order of tables and rules; `facts` are what the suite of each table was given."""

    layer: str
    as_of: date
    checks: tuple[Check, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def blocked(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.is_bad and check.severity == "block")

    @property
    def clean(self) -> tuple[str, ...]:
        """Tables whose suite found nothing to object to."""
        bad = {check.table_name for check in self.checks if check.is_bad}
        return tuple(table for table in self.facts if table not in bad)

    @property
    def warned(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.is_bad and check.severity == "warn")

    def rows(self) -> list[dict[str, Any]]:
        """Rows for `ops.dq_check_logs`."""
        return [check.as_row() for check in self.checks]

    def raise_if_blocked(self, fail_on_block: bool = True) -> None:
        """Raises GateBlocked that names every failed rule of severity `block`, unless told to go on."""
        if not self.blocked or not fail_on_block:
            return
        lines = "".join(f"\n  - {check.describe()}" for check in self.blocked)
        remedies = dict.fromkeys(remedy for check in self.blocked if (remedy := check.facts.get("remedy")))
        raise GateBlocked(
            (
                f"gate({self.layer}) of {self.as_of} blocked, {len(self.blocked)} of {len(self.checks)} "
                f"checks failed:{lines}"
            ),
            remedy="; ".join(remedies) + "; then run again. What is published stays as it was",
        )

    def markdown(self) -> str:
        """The checks as a Markdown table, failed ones first."""
        counts = f"{len(self.blocked)} blocking, {len(self.warned)} warnings, {len(self.checks)} checks"
        lines = [f"## gate({self.layer}) {self.as_of}: {counts}", ""]
        lines += ["| | table | check | observed | expected | bad rows | says |", "|---|---|---|---|---|---|---|"]
        marks = {"passed": "ok", "skipped": "skipped", "failed": "FAILED", "error": "ERROR"}
        for check in sorted(self.checks, key=lambda check: (not check.is_bad, check.severity != "block")):
            mark = "warn" if check.is_bad and check.severity == "warn" else marks[check.status]
            count = "" if check.unexpected_count is None else f"{check.unexpected_count:,}"
            says = check.facts.get("error") or check.facts.get("reason") or check.facts.get("says", "")
            cells = [
                mark,
                check.table_name,
                check.check_name,
                check.observed_value or "",
                check.expected or "",
                count,
                says,
            ]
            lines.append("| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
        return "\n".join(lines) + "\n"

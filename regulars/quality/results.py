"""Results of Great Expectations as checks: numbers as text, exceptions as errors, keys of failing rows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

from regulars.engine_errors import without_values
from regulars.quality.checks import Check, Severity
from regulars.quality.suites import Layer
from regulars.run import Run

SAMPLES = 5
Query = Callable[[str], list[tuple[Any, ...]]]


class Recorder:
    """Turns results of one table into checks."""

    def __init__(self, layer: Layer, table: str, run: Run, query: Query) -> None:
        self.layer, self.table, self.run, self.query = layer, table, run, query
        self.rows = ""
        self.keys: tuple[str, ...] = ()
        self._count: int | None = None

    def run_identifier(self) -> Any:
        from great_expectations.core import RunIdentifier

        return RunIdentifier(run_name=self.run.run_id, run_time=self.run.started_at.replace(tzinfo=UTC))

    def count(self) -> int:
        ((self._count,),) = self.query(f"select count(*) from ({self.rows}) as batch")
        return self._count or 0

    def skipped(self, name: str, reason: str) -> Check:
        return self._check(name, "warn", "skipped", details={"reason": reason})

    def repeated(self, check: Check) -> Check:
        """What a stopped run found over the same facts, as a check of this one."""
        details = json.dumps({"found_by_run": check.run_id, **check.facts})
        return replace(check, run_id=self.run.run_id, checked_at=self.run.started_at, details=details)

    def broken(self, name: str, error: Exception, *, severity: Severity = "block", **more: Any) -> Check:
        details = {
            "says": "The suite has to run." if name == "suite" else "The rule has to be computable.",
            "error": _first_line(error),
            "remedy": f"correct expectations/{self.layer}/{self.table}.py, or the table that it reads",
            **more,
        }
        return self._check(name, severity, "error", details=details)

    def judged(self, found: Any) -> Check:
        """A result of Great Expectations as a check."""
        meta, kwargs, result = found.expectation_config.meta, found.expectation_config.kwargs, found.result or {}
        raised = _raised(found.exception_info)
        if raised is not None:
            return self.broken(meta["check"], raised, says=meta["says"])
        severity: Severity = "block" if str(found.expectation_config.severity.value) == "critical" else "warn"
        count = result.get("unexpected_count")
        details: dict[str, Any] = {"says": meta["says"], "remedy": meta["remedy"]}
        if not found.success and meta["bad_rows"]:
            try:
                details["samples"], count = self._samples(meta["bad_rows"], count)
            except Exception as error:  # a sample that cannot be taken must not hide the rule that failed
                details["sample_error"] = _first_line(error)
        observed = _plain(result.get("observed_value"))
        if observed is None and count is not None:
            observed = f"{count:,} rows"
        return self._check(
            meta["check"],
            severity,
            "passed" if found.success else "failed",
            column_name=kwargs.get("column"),
            observed_value=observed or "too few rows to judge",
            expected=expected_text(found.expectation_config.type, kwargs),
            unexpected_count=count,
            details=details,
        )

    def _check(self, name: str, severity: Severity, status: Any, *, details: Mapping[str, Any], **more: Any) -> Check:
        return Check(
            run_id=self.run.run_id,
            layer=self.layer,
            table_name=self.table,
            check_name=name,
            severity=severity,
            status=status,
            as_of=self.run.as_of,
            checked_at=self.run.started_at,
            rows_checked=self._count,
            details=json.dumps(details),
            **more,
        )

    def _samples(self, bad_rows: str, count: int | None) -> tuple[list[str], int | None]:
        """Keys of some failing rows, and how many there are."""
        batch = f"({self.rows})" if re.search(r"\bjoin\b", bad_rows, re.IGNORECASE) else f"({self.rows}) as batch"
        order = "1"
        if bad_rows.lstrip().startswith("select"):
            query = bad_rows.replace("{batch}", batch)
        elif self.keys:
            query = f"select {', '.join(self.keys)} from {batch} where {bad_rows}"
            order = ", ".join(str(place) for place in range(1, len(self.keys) + 1))
        else:
            return [], count
        found = self.query(f"select * from ({query}) as bad order by {order} limit {SAMPLES}")
        if count is None:
            ((count,),) = self.query(f"select count(*) from ({query}) as bad")
        return [", ".join(str(value) for value in row) for row in found], count


def expected_text(kind: str, kwargs: Mapping[str, Any]) -> str:
    """What an expectation asks for, in a few words."""
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is not None and high is not None:
        return f"{low:g}" if low == high else f"between {low:g} and {high:g}"
    if low is not None:
        return "more than 0" if 0 < low <= 1e-6 else f"at least {low:g}"
    if high is not None:
        return f"at most {high:g}"
    if "value_set" in kwargs:
        return "among " + ", ".join(str(value) for value in kwargs["value_set"])
    if kind == "expect_rows_to_hold" and kwargs.get("mostly", 1.0) < 1:
        return f"at least {kwargs['mostly']:g} of the rows"
    return {
        "expect_rows_to_hold": "every row",
        "expect_no_rows": "0 rows",
        "expect_compound_columns_to_be_unique": "each once",
    }.get(kind, "holds")


def _raised(info: Any) -> Exception | None:
    """What a rule raised while it was computed. The information is flat, or one entry per failed metric."""
    entries = [info] if "raised_exception" in (info or {}) else list((info or {}).values())
    for entry in entries:
        if isinstance(entry, Mapping) and entry.get("raised_exception"):
            return RuntimeError(str(entry.get("exception_message")))
    return None


def _first_line(error: Exception) -> str:
    """The vendor's message without the values it quotes and the SQL that follows it."""
    text = getattr(error, "message", None) or str(error) or type(error).__name__
    return without_values(text.split("[SQL:")[0])[:500]


def _plain(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, float):
        return f"{value:.9g}"
    return str(value)

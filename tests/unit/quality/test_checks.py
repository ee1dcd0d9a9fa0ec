"""Results of gates: what blocks, and how they read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime

import pytest

from regulars.errors import GateBlocked
from regulars.quality.checks import Check, GateResult
from regulars.quality.docs_pages import make_offline, render_index
from regulars.quality.results import expected_text

DAY = date(2026, 1, 9)
PASSED = Check(
    "r1",
    "raw",
    "orders",
    "volume",
    "block",
    "passed",
    DAY,
    datetime(2026, 1, 10),
    details=json.dumps({"says": "Enough | rows."}),
)
FAILED = replace(
    PASSED,
    check_name="shares",
    status="failed",
    observed_value="0.4",
    expected="at least 0.9",
    unexpected_count=1200,
    column_name="email_hash",
    details=json.dumps({"says": "Most <b>rows</b> hold.", "remedy": "ask", "samples": ["a, 1", "b, 2"]}),
)


def test_only_bad_checks_of_severity_block_block() -> None:
    warned = replace(FAILED, severity="warn")
    broken = replace(FAILED, status="error", details=json.dumps({"error": "no column x"}))
    result = GateResult("raw", DAY, (PASSED, warned, replace(PASSED, status="skipped"), broken))
    assert result.blocked == (broken,) and result.warned == (warned,)
    with pytest.raises(GateBlocked, match="no column x"):
        result.raise_if_blocked()
    GateResult("raw", DAY, (PASSED, warned)).raise_if_blocked()


def test_a_failed_check_reads_as_a_sentence() -> None:
    assert FAILED.describe() == (
        "raw.orders.email_hash: shares: Most <b>rows</b> hold. Observed 0.4, expected at least 0.9, "
        "1,200 rows, for example a, 1; b, 2"
    )


def test_markdown_shows_bad_checks_first_and_escapes_bars() -> None:
    lines = GateResult("raw", DAY, (PASSED, FAILED)).markdown().splitlines()
    assert lines[0] == "## gate(raw) 2026-01-09: 1 blocking, 0 warnings, 2 checks"
    assert lines[4].startswith("| FAILED | orders | shares | 0.4 | at least 0.9 | 1,200 |")
    assert "Enough \\| rows." in lines[5]


def test_index_escapes_what_it_shows() -> None:
    run = {"run_id": "<r>", "started_at": "2026-01-10", "as_of": DAY, "checks": [FAILED.as_row()], "pages": {}}
    html = render_index([run])
    assert "<b>shares</b> (block) Most &lt;b&gt;rows&lt;/b&gt; hold. Observed 0.4" in html and "&lt;r&gt;" in html
    assert "No gate has run yet" in render_index([])


def test_pages_lose_everything_remote() -> None:
    page = '<head><link href="https://x/y.css"><script src="https://x"></script></head><a href="https://x">out</a><img src="https://x"/>'
    assert make_offline(page, "../") == '<head><link rel="stylesheet" href="../regulars.css"></head>out'


@pytest.mark.parametrize(
    ("kind", "kwargs", "text"),
    [
        ("x", {"min_value": 0, "max_value": 0}, "0"),
        ("x", {"min_value": 1, "max_value": 2.5}, "between 1 and 2.5"),
        ("x", {"min_value": 1e-9}, "more than 0"),
        ("x", {"max_value": 0.2}, "at most 0.2"),
        ("expect_rows_to_hold", {"mostly": 0.98}, "at least 0.98 of the rows"),
        ("expect_rows_to_hold", {"mostly": 1.0}, "every row"),
        ("expect_no_rows", {}, "0 rows"),
    ],
)
def test_expectations_in_few_words(kind: str, kwargs: dict[str, float], text: str) -> None:
    assert expected_text(kind, kwargs) == text

"""The Big List of Naughty Strings through a delivery: unchanged, or with the one apostrophe of the formula guard."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest

DAY = date(2026, 1, 5)
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


@pytest.mark.real_data
def test_values_leave_as_they_are_or_neutralised(company, datasets: Path) -> None:
    texts = [text for text in json.loads((datasets / "naughty_strings" / "blns.json").read_text()) if text]
    users = [f"u{number:04}" for number in range(len(texts))]
    company.land(DAY, {user: {"email": f"{user}@example.com"} for user in users})
    for user in users:
        company.stand((user, True, False, DAY, None))
    company.fill(DAY, *((user, "gold", text) for user, text in zip(users, texts, strict=True)))
    delivered = company.deliver(DAY, formats=["csv", "parquet"])
    cells = [row[2] for row in company.rows(delivered, "full.csv")]
    assert len(cells) == len(texts)
    for text, cell in zip(texts, cells, strict=True):
        assert cell in (text, f"'{text}")
        if text.startswith(FORMULA_SIGNS):
            assert cell == f"'{text}"
    assert 10 < sum(cell != text for text, cell in zip(texts, cells, strict=True)) < 200
    path = f"{company.storage.root}/{delivered.published.folder}/full.parquet"
    assert duckdb.sql(f"select note from '{path}' order by user_id").fetchall() == [(text,) for text in texts]

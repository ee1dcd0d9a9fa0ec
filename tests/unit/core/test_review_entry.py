"""What sources.yml may say of the tab in which mappings are reviewed, and whose secrets are looked up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from regulars.contracts import Column, Contract
from regulars.errors import ConfigError
from regulars.sources.config import Sources, read_sources

CONTRACT = Contract(
    source="test", table="metrics", description="test", owner="test", mode="snapshot", key=("id",),
    columns=(Column(name="id", data_type="bigint", description="key"),),
)  # fmt: skip
FILE = """connections:
  google: {{kind: sheet, credentials: "${{NO_SUCH_KEY}}"}}
  exports: {{kind: sheet, path: exports}}
  lake: {{kind: files, path: lake}}
tables:
  orders: {{from: lake, path: a.csv}}
sheets:
  metrics: {{from: exports, path: metrics.csv}}
review: {}
"""


def read(folder: Path, entry: str, needed: set[str] | None, *, with_sheets: bool = True) -> Sources:
    (folder / "sources.yml").write_text(FILE.format(entry))
    orders = {"orders": CONTRACT.model_copy(update={"table": "orders"})}
    return read_sources(
        folder / "sources.yml", orders, needed=needed, sheets={"metrics": CONTRACT} if with_sheets else None
    )


def test_who_needs_a_sheet_needs_its_review(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = "{from: google, spreadsheet: ClientData_2023, tabs: [Mappings]}"
    sources = read(tmp_path, entry, {"orders"})
    assert sources.connections_used({"orders"}) == {"lake"}
    assert sources.connections_used({"metrics"}) == {"exports", "google"}
    assert sources.connections_used() == {"lake", "exports", "google"}
    assert sources.of_sheets.connections_used() == {"exports"} and sources.of_sheets.review is None
    assert read(tmp_path, entry, None, with_sheets=False).review is not None, (
        "whoever reads no sheets needs no key of them"
    )
    with pytest.raises(ConfigError, match="NO_SUCH_KEY"):
        read(tmp_path, entry, {"metrics"})
    monkeypatch.setenv("NO_SUCH_KEY", "{}")
    assert read(tmp_path, entry, {"metrics"}).connections["google"].credentials == "{}"


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{from: googel, spreadsheet: a, tabs: b}", "review.from: no connection 'googel'"),
        ("{from: lake, path: review.csv}", "review.from: connection lake is of kind files, not sheet"),
        ("{from: google, spreadsheet: a}", "review: it is one tab of a spreadsheet"),
        ("{from: google, spreadsheet: a, tabs: [b, c]}", "review: it is one tab of a spreadsheet"),
        ("{from: google, tabs: b}", "review: it is one tab of a spreadsheet"),
        ("{from: exports, path: 'review_*.csv'}", "review: it is one tab of a spreadsheet, or one file"),
        ("{from: exports, spreadsheet: a, tabs: b}", "review: it is one tab of a spreadsheet, or one file"),
        ("{from: exports, path: review.csv, where: 'true'}", "review.where: there is no such field"),
        ("{from: exports, path: review.csv, columns: {raw: Wert}}", "review.columns: there is no such field"),
        ("{from: exports, file: review.csv}", "review.file: Extra inputs"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, entry: str, says: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        read(tmp_path, entry, set())
    assert f"{tmp_path / 'sources.yml'}: {says}" in wrong.value.message and wrong.value.remedy

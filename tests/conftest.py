"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import hypothesis
import pytest

from regulars.settings import Settings

# Read when Prefect is imported: what its logs say of every task would only be captured and thrown away.
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "false")

# Files that take longest begin first, so that two processes end at about the same time.
LONGEST = (
    "flows/test_daily",
    "integration/dbt",
    "integration/demo",
    "flows/test_stopped",
    "integration/deployment",
    "integration/quality",
)

# Machines differ in speed: properties are about results, never about time.
hypothesis.settings.register_profile("regulars", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("regulars")

DATASETS = Path(__file__).resolve().parents[2] / "shared" / "datasets"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty home with a known pseudonym key."""
    return Settings(_env_file=None, home=tmp_path / "home", pseudonym_key="test-key", lock_timeout_seconds=2)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """One Prefect server with a database of its own for all tests of this process."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Real data beside the checkout; tests that use it carry the marker real_data."""
    if not DATASETS.is_dir():
        pytest.skip("../shared/datasets is absent: real data does not ship with the project")
    return DATASETS


@pytest.fixture(scope="session")
def workbook() -> Callable[..., None]:
    """Writes rows of values as the smallest xlsx file that readers accept; a string that begins with `<c` is a cell."""
    return write_workbook


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
BOOK = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
    'ContentType="application/xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name=%s sheetId="1" '
    'r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
    f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{OFFICE}/styles" '
    'Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><fonts><font/></fonts><fills><fill/></fills><borders><border/>'
    '</borders><cellStyleXfs><xf/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/>'
    '<xf numFmtId="46"/></cellXfs></styleSheet>',
    "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>%s</sheetData></worksheet>',
}


def write_workbook(path: Path, rows: Any, name: str = "Sheet") -> None:
    def cell(value: object, place: str) -> str:
        if value is None:
            return ""
        if isinstance(value, str) and value.startswith("<c "):
            return value
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
        return f'<c r="{place}"><v>{value}</v></c>'

    body = "".join(
        f'<row r="{n}">{"".join(cell(value, chr(65 + k) + str(n)) for k, value in enumerate(row))}</row>'
        for n, row in enumerate(rows, start=1)
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for file, text in BOOK.items():
            book.writestr(file, text.replace("%s", quoteattr(name) if "workbook.xml" in file else body))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        return next((number for number, part in enumerate(LONGEST) if part in item.path.as_posix()), len(LONGEST))

    items.sort(key=rank)

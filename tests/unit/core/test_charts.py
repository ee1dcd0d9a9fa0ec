"""Pictures: equal rows give equal bytes whatever the person's settings, other rows other ones, and odd rows a picture too."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

import matplotlib
import pytest

from regulars.charts import shop
from regulars.charts.gallery import Picture, as_markdown, write_gallery

DAY = date(2026, 1, 4)
HISTORY = [(DAY - timedelta(days=back), 100.0 + back % 7) for back in range(200, -1, -1) if back % 11]
FORECAST = [(DAY + timedelta(days=n), 100.0, 80.0, 120.0, 70.0, 130.0) for n in range(1, 15)]
MONTHS = [date(2025, month, 1) for month in range(1, 7)]
COHORTS = [(month, since, 40, 1.0 / (1 + since)) for place, month in enumerate(MONTHS) for since in range(6 - place)]
DRAWN: dict[str, Callable[[], bytes]] = {
    "forecast": lambda: shop.sales_forecast(HISTORY, FORECAST, "EUR"),
    "shares": lambda: shop.category_shares([("Lamps", 60.0), ("Soap <&>", 40.0)]),
    "cohorts": lambda: shop.cohort_retention(COHORTS),
    "segments": lambda: shop.rfm_segments([("loyal", 5, 100.0), ("lost", 3, 0.0)]),
    "findings": lambda: shop.findings([("amount_z", 1200, 3), ("load", 0, 0)]),
}


def words(svg: bytes) -> list[str]:
    root = ElementTree.fromstring(svg)  # it is XML, names of categories and all
    return ["".join(node.itertext()) for node in root.iter() if node.tag.endswith("}text")]


@pytest.mark.parametrize("name", DRAWN)
def test_equal_rows_equal_bytes_whatever_a_person_has_set(name: str) -> None:
    once = DRAWN[name]()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.hashsalt": None}):
        assert DRAWN[name]() == once
    assert not re.search(rb"<dc:date>|20\d\d-\d\d-\d\dT", once)


def test_pictures_say_what_the_rows_say() -> None:
    assert {"60.0 %", "40.0 %", "Soap <&>"} <= set(words(DRAWN["shares"]()))
    assert {"1,200, 3 new", "none"} <= set(words(DRAWN["findings"]()))
    assert {"5, 100 % of net amount", "3, 0 % of net amount"} <= set(words(DRAWN["segments"]()))
    assert {"2025-03  (40)", "100", "50", "33"} <= set(words(DRAWN["cohorts"]()))
    assert "Net amount a day, EUR" in words(DRAWN["forecast"]())
    assert DRAWN["forecast"]() != shop.sales_forecast(
        HISTORY, [(*line[:1], 101.0, *line[2:]) for line in FORECAST], "EUR"
    )


@pytest.mark.parametrize(
    "svg",
    [
        lambda: shop.sales_forecast(HISTORY[:1], [], ""),
        lambda: shop.category_shares([(f"k{n}", 1.0) for n in range(40)]),
        lambda: shop.cohort_retention([(DAY, 0, 1, 1.0)]),
        lambda: shop.cohort_retention([(date(2000 + n // 12, 1 + n % 12, 1), 0, 1, 1.0) for n in range(300)]),
        lambda: shop.rfm_segments([("lost", 1, -5.0)]),
    ],
)
def test_few_many_and_odd_rows_are_drawn(svg: Callable[[], bytes]) -> None:
    assert words(svg())


def test_files_take_the_place_of_those_before_and_the_page_needs_none(tmp_path: Any) -> None:
    for svg in (b"<svg>1</svg>", b"<svg>2</svg>"):
        paths = write_gallery([Picture("sales", "Sales", svg)], tmp_path / "charts")
    assert [path.read_bytes() for path in paths] == [b"<svg>2</svg>"] and len(
        list((tmp_path / "charts").iterdir())
    ) == 1
    assert as_markdown([Picture("sales", "Sales", b"<svg>2</svg>")], DAY).endswith(
        "![Sales](data:image/svg+xml;base64,PHN2Zz4yPC9zdmc+)"
    )

"""Unusual customers: planted ones are found, for what was planted."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from regulars.errors import ConfigError, ContractError
from regulars.science.features import scale_features
from regulars.science.unusual_customers import find_unusual_customers, training_rows
from regulars.settings import PROJECT_DIR

WINDOW: dict[str, Any] = {"first_date": date(2025, 7, 1), "as_of": date(2026, 6, 30)}


def draw(size: int, seed: int = 3) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    loyal = random.normal(0, 1, size)
    return {
        "customer_id": [f"c{number:06}" for number in range(size)],
        "orders": np.round(np.exp(1 + 0.6 * loyal + random.normal(0, 0.3, size))),
        "spend": np.exp(4 + 0.6 * loyal + random.normal(0, 0.4, size)),
        "days_since_order": random.gamma(2, 20, size),
        "basket": random.normal(3, 0.7, size),
        "returns": random.binomial(1, 0.05, size),
        "trend": random.normal(0, 0.2, size),
        "discount": random.beta(2, 5, size),
    }


PLANTED = {
    7: ("spend", 90_000.0),
    501: ("returns", 40),
    1200: ("basket", 15.0),
    1999: ("trend", -4.0),
    42: ("orders", 900),
}


@pytest.fixture(scope="module")
def customers() -> pa.Table:
    columns = draw(6000)
    for row, (name, value) in PLANTED.items():
        columns[name][row] = value
    return pa.table(columns)


@pytest.fixture(scope="module")
def found(customers: pa.Table) -> Any:
    return find_unusual_customers(customers, seed=7, **WINDOW)


def test_planted_customers_are_found_with_the_planted_feature_first(found: Any) -> None:
    assert (found.status, found.reason) == ("found", "")
    rank = dict(zip(*(found.customers[name].to_pylist() for name in ("customer_id", "rank")), strict=True))
    first = {row["customer_id"]: row for row in found.reasons.to_pylist() if row["position"] == 1}
    for row, (name, value) in PLANTED.items():
        key = f"c{row:06}"
        assert rank[key] <= 20, (name, rank[key])
        assert (first[key]["feature"], first[key]["value"]) == (name, value)
        assert first[key]["direction"] == ("low" if name == "trend" else "high")


def test_a_share_is_flagged_by_rank_and_explained(found: Any) -> None:
    rows = found.customers.to_pylist()
    assert sorted(row["rank"] for row in rows) == list(range(1, 6001))
    assert [row["customer_id"] for row in rows] == sorted(row["customer_id"] for row in rows)
    assert {row["customer_id"] for row in rows if row["rank"] <= 60} == {
        r["customer_id"] for r in rows if r["is_flagged"]
    }
    by_rank = sorted(rows, key=lambda row: row["rank"])
    assert all(a["score"] >= b["score"] for a, b in pairwise(by_rank))
    assert all(0 < row["score"] < 1 for row in rows)
    reasons = found.reasons.to_pylist()
    assert {row["customer_id"] for row in reasons} == {row["customer_id"] for row in rows if row["is_flagged"]}
    medians = {row["feature"]: row["median"] for row in found.features.to_pylist()}
    for row in reasons:
        assert row["score_drop"] > 0 and row["position"] in (1, 2, 3)
        assert row["typical_value"] == medians[row["feature"]]
        assert (row["value"] > row["typical_value"]) == (row["direction"] == "high")


def test_neither_order_of_rows_and_columns_nor_threads_change_a_bit(customers: pa.Table, found: Any) -> None:
    order = np.random.default_rng(0).permutation(len(customers))
    shuffled = customers.take(order).select(customers.column_names[::-1])
    with threadpool_limits(1):
        again = find_unusual_customers(shuffled, seed=7, **WINDOW)
    for name in ("customers", "reasons", "features"):
        assert getattr(found, name).equals(getattr(again, name))
    other = find_unusual_customers(customers, seed=8, **WINDOW)
    assert not other.customers["score"].equals(found.customers["score"])


def test_units_do_not_matter(customers: pa.Table, found: Any) -> None:
    at = customers.column_names.index("spend")
    in_cents = customers.set_column(at, "spend", pa.array(customers["spend"].to_numpy() * 1e6))
    again = find_unusual_customers(in_cents, seed=7, **WINDOW)
    assert again.customers["rank"].to_pylist()[:100] == found.customers["rank"].to_pylist()[:100]


def test_a_value_that_is_not_known_makes_nobody_unusual() -> None:
    columns = draw(2000)
    spend = columns["spend"].tolist()
    for row in range(0, 2000, 4):
        spend[row] = None
    columns["spend"] = pa.array(spend, pa.float64())
    found = find_unusual_customers(pa.table(columns), seed=7, share=0.05, **WINDOW)
    reasons = [row for row in found.reasons.to_pylist() if row["feature"] == "spend"]
    assert reasons and all(row["value"] is not None and not np.isnan(row["value"]) for row in reasons)
    (spend_row,) = (row for row in found.features.to_pylist() if row["feature"] == "spend")
    assert spend_row["null_count"] == 500
    flagged = [row["customer_id"] for row in found.customers.to_pylist() if row["is_flagged"]]
    assert sum(int(key[1:]) % 4 == 0 for key in flagged) < 35  # not more than their quarter of 100, and some luck


def test_columns_that_say_nothing_are_left_out_and_reported() -> None:
    columns = draw(300) | {
        "still": np.full(300, 5),
        "unknown": pa.nulls(300, pa.float64()),
        "void": pa.nulls(300),
        "region": ["north"] * 300,
        "is_member": np.arange(300) % 2 == 0,
        "amount": pa.array([None] * 10 + [1, 2] * 145, pa.decimal128(10, 2)),
    }
    found = find_unusual_customers(pa.table(columns), seed=1, **WINDOW)
    status = {row["feature"]: row["status"] for row in found.features.to_pylist()}
    left_out = {name: status[name] for name in ("still", "unknown", "void", "region")}
    assert left_out == {"still": "constant", "unknown": "all_null", "void": "all_null", "region": "not_numeric"}
    assert status["is_member"] == status["amount"] == "used"
    assert set(found.reasons["feature"].to_pylist()).isdisjoint(left_out)


def test_only_the_columns_that_are_named_are_used(customers: pa.Table) -> None:
    found = find_unusual_customers(customers, seed=7, columns=["spend", "basket"], **WINDOW)
    assert found.features["feature"].to_pylist() == ["basket", "spend"]
    with pytest.raises(ContractError, match="no column height"):
        find_unusual_customers(customers, seed=7, columns=["height"], **WINDOW)


def test_skewed_columns_are_compressed_and_huge_ones_do_not_overflow() -> None:
    random = np.random.default_rng(1)
    table = pa.table(
        {
            "even": random.normal(0, 1, 500),
            "skewed": np.exp(2 * random.normal(0, 1, 500)),
            "huge": random.normal(0, 1, 500) * 1e300,
            "mostly_zero": np.where(random.random(500) < 0.9, 0, 5.0),
        }
    )
    scaled = scale_features(table, table.column_names)
    assert [feature.is_log for feature in scaled.features] == [False, True, False, True]
    assert np.isfinite(scaled.matrix).all()
    np.testing.assert_allclose(np.median(scaled.matrix, axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("size", [0, 1, 99])
def test_too_few_customers_are_said_to_be(size: int) -> None:
    found = find_unusual_customers(pa.table(draw(size)) if size else pa.table(draw(1))[:0], seed=7, **WINDOW)
    assert (found.status, found.reason) == ("too_few_customers", f"{size} customers, 100 are needed")
    assert found.customers["score"].null_count == found.customers["rank"].null_count == size
    assert not any(found.customers["is_flagged"].to_pylist()) and len(found.reasons) == 0
    assert found.reasons.column_names[:2] == ["customer_id", "position"]


def test_a_table_without_a_feature_is_said_to_have_none() -> None:
    table = pa.table({"customer_id": list(range(200)), "region": ["x"] * 200, "still": [1] * 200})
    found = find_unusual_customers(table, seed=7, **WINDOW)
    assert found.status == "no_features" and found.customers["score"].null_count == 200


def test_trees_see_the_extremes_of_a_large_table() -> None:
    matrix = np.random.default_rng(0).normal(0, 1, (20_000, 3))
    matrix[17, 1] = 50.0
    rows = training_rows(matrix, 7)
    assert 17 in rows and 2048 <= len(rows) <= 2048 + 3 * 16
    assert rows.tolist() == training_rows(matrix, 7).tolist()


def test_input_that_breaks_the_contract_is_named(customers: pa.Table) -> None:
    with pytest.raises(ContractError, match="customer_id comes twice: 1 keys, such as c000000"):
        find_unusual_customers(pa.concat_tables([customers, customers.slice(0, 1)]), seed=7, **WINDOW)
    with pytest.raises(ContractError, match="1 rows have no customer_id"):
        keyless = customers.set_column(0, "customer_id", pa.array([None, *customers["customer_id"].to_pylist()[1:]]))
        find_unusual_customers(keyless, seed=7, **WINDOW)
    with pytest.raises(ConfigError, match="share"):
        find_unusual_customers(customers, seed=7, share=0.0, **WINDOW)


def test_without_the_extra_it_says_what_to_install() -> None:
    probe = (
        "import importlib.util as util\n"
        "real = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'sklearn' else real(name, *rest)\n"
        "from regulars.errors import ConfigError\n"
        "try:\n    import regulars.science\n"
        "except ConfigError as error:\n    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", probe], cwd=PROJECT_DIR, capture_output=True, text=True, check=True)
    assert "sklearn" in said.stdout and "pip install 'regulars[science]'" in said.stdout

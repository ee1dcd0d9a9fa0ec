"""Suites are found by name, and know what the ledger knew."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

from regulars.contracts import Contract, read_contracts
from regulars.quality.suites import Visible, list_suites, load_suite, raw_rows, suite_context
from regulars.settings import PROJECT_DIR, Settings

CONTRACTS: dict[str, Contract] = read_contracts(PROJECT_DIR / "dbt" / "warehouse" / "models" / "staging")
DAY = date(2026, 1, 9)


def test_registry_is_the_files() -> None:
    for layer in ("raw", "marts"):
        files = {path.stem for path in (PROJECT_DIR / "expectations" / layer).glob("*.py")} - {"__init__"}
        assert set(list_suites(layer)) == files
        for table in files:
            suite = load_suite(layer, table)
            assert (suite.layer, suite.table) == (layer, table)
            context = suite_context([], table, DAY, CONTRACTS, Settings())
            assert suite.build(context).name == f"{layer}.{table}"
            assert suite.rows(context).startswith("select ")
            assert suite.keys or context.key_columns


def test_every_raw_suite_has_a_contract() -> None:
    assert set(list_suites("raw")) <= set(CONTRACTS)


def test_raw_rows_leave_personal_columns_out() -> None:
    for table, contract in CONTRACTS.items():
        batches = [(table, DAY, "b1", 5)]
        listed = (
            raw_rows(suite_context(batches, table, DAY, CONTRACTS, Settings()))
            .split(" from ")[0]
            .removeprefix("select ")
            .split(", ")
        )
        assert not set(listed) & set(contract.personal_columns)
        assert f"where _as_of = date '{DAY}' and _batch_id in ('b1')" in raw_rows(
            suite_context(batches, table, DAY, CONTRACTS, Settings())
        )


def test_context_unites_batches_of_a_day_and_counts_earlier_days() -> None:
    days = [DAY - timedelta(days=back) for back in range(10)]
    batches = [("user_activity", day, f"b{n}", 100 + n) for n, day in enumerate(days)]
    batches.insert(1, ("user_activity", DAY, "added", 5))
    batches += [("user_profile", days[2], "p", 7)]
    context = suite_context(batches, "user_activity", DAY, CONTRACTS, Settings())
    assert context.visible["user_activity"] == Visible(DAY, ("b0", "added"), 105)
    assert context.visible["user_profile"].as_of == days[2]
    assert context.earlier_rows == tuple(range(101, 108)) and context.usual_rows == 104
    assert context.before == Visible(days[1], ("b1",), 101)
    assert context.population == "user_profile"
    assert suite_context(batches[:4], "user_activity", DAY, CONTRACTS, Settings()).usual_rows is None


def test_importing_gates_does_not_import_great_expectations() -> None:
    script = (
        "import sys, regulars.quality.gates, regulars.quality.data_docs; sys.exit('great_expectations' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=PROJECT_DIR, timeout=60)

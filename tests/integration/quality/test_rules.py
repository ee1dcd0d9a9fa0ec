"""Every rule of every suite: it holds on a healthy warehouse, and a row exists that makes it fail."""

from __future__ import annotations

import duckdb
import pytest
from breaks import BREAKS, Break
from small_warehouse import CONTRACTS, DAY, MARTS, RAW, RUN

from regulars.quality.gates import run_gate
from regulars.settings import Settings


@pytest.fixture(scope="module")
def rules(healthy: Settings) -> set[tuple[str, str, str]]:
    """(layer, table, rule) of all suites, after checking that each of them holds."""
    found = set()
    for layer, tables in (("raw", RAW), ("marts", MARTS)):
        result = run_gate(layer, tables, settings=healthy, run=RUN, contracts=CONTRACTS)
        assert [check.describe() for check in result.checks if check.status != "passed"] == []
        names = [(check.layer, check.table_name, check.check_name) for check in result.checks]
        assert len(names) == len(set(names))
        found |= set(names)
    return found


def test_a_healthy_warehouse_passes_every_rule(rules: set[tuple[str, str, str]]) -> None:
    assert {table for layer, table, _ in rules if layer == "raw"} == set(RAW)
    assert {table for layer, table, _ in rules if layer == "marts"} == set(MARTS)


def test_every_rule_has_a_row_that_breaks_it(rules: set[tuple[str, str, str]]) -> None:
    broken = {(case.layer, case.table, rule) for case in BREAKS for rule in case.rules}
    assert rules - broken == set(), "rules that nobody has seen fail: add a case to breaks.py"
    assert broken - rules == set(), "cases for rules that do not exist"


@pytest.mark.parametrize("case", BREAKS, ids=str)
def test_a_broken_rule_is_found(case: Break, settings: Settings) -> None:
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for statement in case.statements:
            connection.execute(statement)
    result = run_gate(case.layer, [case.table], settings=settings, run=RUN, contracts=CONTRACTS)
    failed = {check.check_name: check for check in result.checks if check.status == "failed"}
    assert set(case.rules) <= set(failed), result.markdown()
    assert not [check.describe() for check in result.checks if check.status == "error"]
    assert all(check.as_of == DAY and check.observed_value and check.expected for check in failed.values())
    assert all(check.facts["remedy"] and check.facts["says"] for check in failed.values())

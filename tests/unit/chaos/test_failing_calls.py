"""Which calls are made to fail."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any

from chaos.__main__ import _chosen
from chaos.fault import Fault
from chaos.faults.failing_calls import plan

BENCH: Any = SimpleNamespace(rng=lambda kind, number: random.Random(number))


def faults(count: int) -> Iterator[Fault]:
    return plan(BENCH, count)


def test_a_small_campaign_makes_a_fifth_of_its_count() -> None:
    assert [fault.number for fault in faults(20)] == [0, 1, 2, 3]


def test_a_whole_campaign_goes_on_with_flushes_and_renames_until_a_run_has_no_more() -> None:
    names = [fault.what.split(" of ")[0] for fault in islice(faults(200), 400)]
    for call in ("fsync", "rename"):
        assert [name for name in names if name.startswith(call)][:150] == [f"{call} number {n}" for n in range(1, 151)]
    assert sum(name.startswith("write") for name in names) == 13


def test_a_fault_is_found_by_its_number_and_a_number_that_no_fault_has_ends() -> None:
    assert [fault.number for fault in _chosen(faults(200), 129)] == [129]
    assert list(_chosen(faults(200), 131)) == []

"""Kinds of fault, one module each: `KIND` is its name, `plan` the faults of a campaign."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chaos.fault import Bench, Fault
from chaos.faults import (
    at_once,
    commit_points,
    disk_full,
    failing_calls,
    kill_flow,
    kill_stages,
    postgres_intake,
    postgres_source,
    s3_storage,
)

Plan = Callable[[Bench, int], Iterable[Fault]]
KINDS: dict[str, Plan] = {
    module.KIND: module.plan
    for module in (
        kill_stages,
        kill_flow,
        commit_points,
        postgres_source,
        postgres_intake,
        s3_storage,
        disk_full,
        failing_calls,
        at_once,
    )
}

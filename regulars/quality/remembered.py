"""Suites that a stopped run has judged already, over the same rows, rules and code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from regulars.proofs import Proofs
from regulars.quality.checks import Check, GateResult
from regulars.quality.suites import Layer, SuiteContext
from regulars.stages import Stage
from regulars.warehouse.base import Warehouse


class RememberedSuites:
    """What is known of the suites of one gate. Only a suite that found nothing to object to is remembered.

    A raw suite is given the batches that it reads; one of marts reads tables of a `stage`, so its evidence is what they
    were built from.
    """

    def __init__(self, warehouse: Warehouse, proofs: Proofs, layer: Layer, stage: Stage | None) -> None:
        self._warehouse, self._proofs, self._layer = warehouse, proofs, layer
        self._over = proofs.built(stage) if stage else ""

    def checks(self, table: str, given: SuiteContext) -> Sequence[Check]:
        """The checks of the run that judged `table` last, or none where it has to be judged."""
        run_id = self._proofs.run_that_proved(self._step(table, given), self._evidence(given))
        if run_id is None:
            return ()
        found = self._warehouse.arrow(
            "select * from ops.dq_check_logs where run_id = ? and kind = 'gate' and layer = ? and table_name = ? and as_of = ?",
            [run_id, self._layer, table, given.as_of],
        )
        return [Check(**row) for row in found.to_pylist()]

    def keep(self, results: Sequence[GateResult], at: datetime) -> None:
        """Remember the clean suites of a gate whose checks are recorded."""
        clean = [(table, result.facts[table]) for result in results for table in result.clean]
        self._proofs.keep({self._step(table, given): self._evidence(given) for table, given in clean}, at)

    def _step(self, table: str, given: SuiteContext) -> str:
        return f"suite {self._layer}.{table} {given.as_of}"

    def _evidence(self, given: SuiteContext) -> str:
        return self._proofs.evidence(self._over, given)

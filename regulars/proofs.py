"""What a run had proven before it was stopped, so that the next one carries on instead of proving it again.

A proof says that a step (a suite, a build with its data tests, a publication) came to a good end over some evidence: a
digest of everything that its outcome depends on. Proofs count until a run ends well; a run after that proves everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from regulars.engine import quote
from regulars.run import Run, code_version
from regulars.settings import PROJECT_DIR, Settings
from regulars.stages import Stage
from regulars.warehouse.base import Warehouse

# What models were made of: each one that is there with the mark that it bears, and the batches that count.
BUILT = """
select b.schema_name, b.model, b.mark
from ops.built_models as b
inner join information_schema.tables as t on b.model = lower(t.table_name) and b.schema_name = lower(t.table_schema)
where b.model in ({models})
union all
select '', table_name, batch_id from ops.effective_batches where table_name in ({tables})
order by 1, 2, 3
"""


class Proofs:
    """The proofs of one warehouse, as one run finds and leaves them."""

    def __init__(self, warehouse: Warehouse, run: Run, settings: Settings) -> None:
        self._warehouse, self._run, self._settings = warehouse, run, settings
        self._rules = digest_of_rules(PROJECT_DIR, settings.dbt_project_dir)
        self._known: dict[str, tuple[str, str]] | None = None  # asked once: who runs holds the warehouse alone

    def evidence(self, *facts: object) -> str:
        """Digest (32 hex digits) of `facts`, the code, the rules and the settings that can change data."""
        common = (code_version(), self._rules, self._settings.fingerprint())
        return hashlib.sha256("\n".join(map(str, (*common, *facts))).encode()).hexdigest()[:32]

    def built(self, stage: Stage) -> str:
        """Evidence of what the models of a stage, and those that they are made from, hold now."""
        models, tables = (", ".join(map(quote, names)) for names in (stage.all_models, stage.tables))
        return self.evidence(*self._warehouse.query(BUILT.format(models=models, tables=tables)))

    def run_that_proved(self, step: str, evidence: str) -> str | None:
        """Identifier of the stopped run that proved `step` over `evidence`, or None."""
        if self._known is None:
            found = self._warehouse.query("select step, evidence, run_id from ops.proofs")
            self._known = {known: (over, run_id) for known, over, run_id in found}
        over, run_id = self._known.get(step, ("", ""))
        return run_id if over == evidence else None

    def keep(self, proven: Mapping[str, str], at: datetime) -> None:
        """Record the evidence of each proven step; it takes the place of what was known of that step."""
        if not proven:
            return
        rows = [
            {"step": step, "evidence": evidence, "run_id": self._run.run_id, "proven_at": at}
            for step, evidence in proven.items()
        ]
        with self._warehouse.transaction():
            steps = ", ".join("?" for _ in proven)
            self._warehouse.execute(f"delete from ops.proofs where step in ({steps})", list(proven))
            self._warehouse.record("proofs", rows)
        self._known = None

    def forget(self) -> None:
        """Drop every proof: at the good end of a run, and where all is to be built again."""
        self._warehouse.execute("delete from ops.proofs")
        self._known = None


def digest_of_rules(project: Path, dbt_project: Path) -> str:
    """Digest over suites, the code that judges by them, and dbt's own tests: a version does not tell what is not committed.

    Tests that models declare are part of the marks that models bear.
    """
    folders = (project / "expectations", project / "regulars" / "quality", dbt_project / "tests")
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".sql", ".yml"))
    return hashlib.sha256("\n".join(f"{path.name} {path.read_text()}" for path in files).encode()).hexdigest()

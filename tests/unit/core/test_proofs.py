"""What a proof of a stopped run depends on."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from regulars.proofs import Proofs, digest_of_rules
from regulars.run import Run
from regulars.settings import PROJECT_DIR, Settings
from regulars.warehouse.base import Warehouse

RUN = Run("run", "flow", date(2026, 1, 5), datetime(2026, 1, 6, 6))


@pytest.mark.parametrize(
    "changed", ["expectations/raw/user_profile.py", "regulars/quality/rules.py", "dbt/warehouse/tests/generic"]
)
def test_a_changed_rule_ends_what_was_proven(tmp_path: Path, changed: str) -> None:
    for folder in ("expectations", "regulars/quality", "dbt/warehouse/tests"):
        shutil.copytree(PROJECT_DIR / folder, tmp_path / folder)
    before = digest_of_rules(tmp_path, tmp_path / "dbt" / "warehouse")
    assert before == digest_of_rules(PROJECT_DIR, PROJECT_DIR / "dbt" / "warehouse")
    path = tmp_path / changed
    file = next(path.glob("*.sql")) if path.is_dir() else path
    file.write_text(file.read_text() + "\n")
    assert digest_of_rules(tmp_path, tmp_path / "dbt" / "warehouse") != before


def test_other_facts_and_other_settings_are_other_evidence(settings: Settings) -> None:
    def evidence(facts: tuple[Any, ...], **changes: Any) -> str:
        asked = settings.model_copy(update=changes)
        return Proofs(cast(Warehouse, None), RUN, asked).evidence(*facts)

    assert evidence(("a", "b")) == evidence(("a", "b"))
    assert (
        len({evidence(("a", "b")), evidence(("b", "a")), evidence(("a",)), evidence(("a", "b"), timezone="Asia/Tokyo")})
        == 4
    )

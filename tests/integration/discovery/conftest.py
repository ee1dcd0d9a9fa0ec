"""Drafts are made in the test's folder, by the command, with a home of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from regulars.settings import Settings
from tests.integration.discovery.taken_over import TakenOver, run_command


@pytest.fixture
def draft(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, TakenOver]]:
    """Runs `discover` on a place; gives what it printed and the draft."""
    monkeypatch.setenv("REGULARS_HOME", str(settings.home))
    monkeypatch.setenv("REGULARS_PSEUDONYM_KEY", "test-key")

    def discover(place: str | Path, *options: str, name: str = "store") -> tuple[str, TakenOver]:
        out = tmp_path / f"draft-{name}"
        code, said = run_command("discover", place, "--name", name, "--out", out, *options)
        assert code == 0, said
        return said, TakenOver(out, name, tmp_path, settings)

    return discover

"""What `regulars run` says at its end."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from flows.commands.run import show_summary


def test_a_first_ingest_publishes_nothing_and_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path))
    show_summary(date(2026, 1, 5), as_json=False)
    assert "nothing is published yet" in capsys.readouterr().out
    show_summary(date(2026, 1, 5), as_json=True)
    assert capsys.readouterr().out == '{"as_of": "2026-01-05"}\n'

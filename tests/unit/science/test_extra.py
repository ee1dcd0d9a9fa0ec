"""An installation without the extra says so in words, before a run has begun."""

from __future__ import annotations

import sys

import pytest

from regulars.errors import ConfigError


def test_science_without_its_extra_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.science import require_science

    require_science()
    monkeypatch.setitem(sys.modules, "statsforecast", None)  # as if it were not installed
    monkeypatch.delitem(sys.modules, "regulars.science")
    with pytest.raises(ConfigError, match="statsforecast") as caught:
        require_science()
    assert "regulars[science]" in str(caught.value)

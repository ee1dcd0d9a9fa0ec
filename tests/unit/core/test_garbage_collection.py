"""Garbage is looked for less often during a run, and as before after it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from regulars.garbage_collection import THRESHOLD, seldom_collected


@pytest.fixture(autouse=True)
def thresholds_as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_thresholds_are_raised_and_put_back_also_after_an_error() -> None:
    gc.set_threshold(700, 10, 10)
    with pytest.raises(ZeroDivisionError), seldom_collected():
        assert gc.get_threshold() == THRESHOLD
        raise ZeroDivisionError
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("chosen", [(0, 10, 10), (90_000, 5, 5)])
def test_what_somebody_chose_stays(chosen: tuple[int, int, int]) -> None:
    gc.set_threshold(*chosen)
    with seldom_collected():
        assert gc.get_threshold() == chosen

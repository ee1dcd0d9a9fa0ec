"""How often Python looks for garbage while a run lasts."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Objects made between two looks, and looks of the younger kind between two of the older. dbt, Great Expectations and Prefect keep
# 0.8 million objects: with Python's 700, 10, 10 a warm run walks over all of them until a sixth of its processor time is gone.
THRESHOLD = (50_000, 20, 10)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for garbage less often inside the body; thresholds that somebody set higher stay, and all are put back after it."""
    before = gc.get_threshold()
    if 0 < before[0] < THRESHOLD[0]:  # 0: somebody switched it off
        gc.set_threshold(*THRESHOLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)

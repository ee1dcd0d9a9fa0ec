"""What a mapping can be, and when it is used: the one place that says so, for Python and for PostgreSQL."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Generic, Literal, TypeVar

T = TypeVar("T")
Kind = Literal["words", "numbers"]
Status = Literal["approved", "proposed", "rejected"]

# The rule of use, over columns status, confidence and threshold. Whatever it does not let through waits in quarantine.
USABLE = "(status = 'approved' or (status = 'proposed' and confidence >= threshold))"
# From benchmarks/mapping.py: docs/mappings.md has the figures.
DEFAULT_THRESHOLD = Decimal("0.9")
CAP = 0.5  # confidence of what only a person can tell, however near it looks; no threshold may be as low

# What people write for "nothing", normalised. `none` and `nil` are left out: they may be answers, or 0.
NO_VALUE = frozenset({"", "-", "--", "n/a", "#n/a", "na", "n.a.", "n. a.", "null", "nan", "(null)", "(blank)"})


@dataclass(frozen=True)
class Proposal(Generic[T]):
    """What a raw value probably means. `value` None with confidence 1 is an explicit null (rule `no_value`); with
    confidence 0 nothing was found, and `rule` is the reason."""

    value: T | None
    confidence: float
    rule: str


@lru_cache(maxsize=1)
def rules_version() -> str:
    """Changes whenever the rules of this package, or the libraries they rest on, do; 16 hex digits."""
    digest = hashlib.sha256(f"{version('rapidfuzz')} {version('text2num')}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]

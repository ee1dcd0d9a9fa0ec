"""Sample data: thirteen tables of a made-up company at any scale, equal for equal seeds, with planted faults."""

from regulars.sample.check import Caught, check_planted, planted_until
from regulars.sample.load import load_day
from regulars.sample.planted import Planted, read_planted
from regulars.sample.spec import SampleSpec
from regulars.sample.tables import TABLES, Variant
from regulars.sample.write import write_sample

__all__ = [
    "TABLES",
    "Caught",
    "Planted",
    "SampleSpec",
    "Variant",
    "check_planted",
    "load_day",
    "planted_until",
    "read_planted",
    "write_sample",
]

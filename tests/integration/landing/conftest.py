"""Tests here land in a place of their own."""

from tests.place import make_place, place  # noqa: F401

"""Suites over what the warehouse project built, before it is published."""

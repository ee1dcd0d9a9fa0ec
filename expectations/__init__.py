"""Suites of the quality gates, one module per table that has rules of meaning; see docs/quality.md."""

"""Suites over the effective batches of a day, before anything is built from them."""

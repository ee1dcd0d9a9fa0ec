"""Faults injected into whole pipelines, and the one oracle that says whether anything came of them."""

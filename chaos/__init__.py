"""Faults injected into whole pipelines, and the one oracle that says whether anything came of them."""

import os

# One thread, so that the harness can be forked; read when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

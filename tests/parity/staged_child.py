"""Lands by way of a stage in a process of its own, which a test kills: python staged_child.py PICKLED-ARGUMENTS"""

from __future__ import annotations

import os
import pickle
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")  # the connector warns of versions of packages that it does not use

from regulars.staged.landing import land_staged  # noqa: E402
from regulars.warehouse import open_warehouse  # noqa: E402

settings, table, sources, run = pickle.loads(Path(sys.argv[1]).read_bytes())
print(os.getpid(), flush=True)
with open_warehouse(settings) as warehouse:
    warehouse.prepare({table.table: table})
    land_staged(table, sources, settings, run, warehouse)

"""Make landed batches of one table visible in `raw`."""

from __future__ import annotations

from prefect import task

from regulars.manifest import committed_manifests
from regulars.storage import open_storage
from regulars.warehouse.base import Loaded
from tasks.context import RunContext, utc_now
from tasks.retry import RETRIED


@task(name="load", task_run_name="load {table} {context.run.as_of}", timeout_seconds=4 * 3600, **RETRIED)
def load_table(context: RunContext, table: str) -> Loaded:
    """Load every committed batch that is not in `raw` yet, also those of earlier runs that were cut off."""
    with context.step("load", table) as facts:
        storage = open_storage(context.settings.landing_root, context.settings.s3)
        known = context.warehouse.known_batches(table)
        manifests = committed_manifests(storage, table, skip=known, remove_unfinished=True)
        loaded = context.warehouse.load(context.contracts[table], manifests, context.run, utc_now())
        facts.update(batches=len(loaded.new), rows_loaded=sum(manifest.rows_loaded for manifest in loaded.new))
        return loaded

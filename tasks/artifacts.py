"""Artifacts of a run with keys that stay the same from run to run."""

from __future__ import annotations

from time import monotonic

from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact

from tasks.context import RunContext

SUMMARY = """
select table_name, sum(rows_read), sum(rows_loaded), sum(rows_quarantined), sum(rows_duplicate), sum(rows_filtered)
from ops.ingestion_logs
where as_of = ? and status = 'loaded'
group by table_name
order by table_name
"""


class Progress:
    """A progress artifact that counts steps; told at most once a second, since telling it is a request to the server."""

    def __init__(self, key: str, steps: int) -> None:
        self._id = create_progress_artifact(progress=0.0, key=key)
        self._steps = steps
        self._done = 0
        self._told_at = monotonic()

    def advance(self) -> None:
        self._done += 1
        self.reach(100.0 * self._done / max(self._steps, 1))

    def reach(self, percent: float) -> None:
        if percent < 100 and monotonic() - self._told_at < 1:
            return
        update_progress_artifact(self._id, progress=percent)
        self._told_at = monotonic()


def summary_artifact(context: RunContext) -> None:
    """The table of rows per source of the run's day."""
    rows = context.warehouse.query(SUMMARY, [context.run.as_of])
    lines = [
        f"# {context.run.flow} {context.run.as_of}",
        "",
        "| table | read | loaded | quarantined | duplicate | filtered |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    lines += [f"| {' | '.join(str(value) for value in row)} |" for row in rows]
    create_markdown_artifact("\n".join(lines), key=context.run.flow, description="Rows per table")

"""The way of a sheet's rows from cell to summary, as an artifact."""

from __future__ import annotations

from prefect.artifacts import create_markdown_artifact

from regulars.postgres.staging import StagedSheet
from tasks.context import RunContext

COUNTS = """
select 'months of clients and projects' as what, count(*) as row_count from marts.customer_engagement_monthly
union all
select 'clients and projects', count(*) from marts.customer_engagement_summary
order by 2 desc nulls last, 1
"""
UNMATCHED = "select reason, row_count from marts.engagement_unmatched_rows where row_count > 0 order by row_count desc nulls last, reason"
DECIDE = "`regulars mappings list --waiting` shows what to decide; the next run takes it into account."


def way_artifact(context: RunContext, staged: StagedSheet | None) -> None:
    """How many rows each step has, why rows wait, and which have no project."""
    lines = [f"# From cell to summary, {context.run.as_of}", "", "| | rows |", "|---|--:|"]
    if staged:
        lines += [
            f"| filled in the sheet | {staged.filled:,} |", f"| staged | {staged.staged:,} |",
            f"| superseded by a row further down | {staged.superseded:,} |", f"| waiting | {staged.waiting:,} |",
        ]  # fmt: skip
    lines += [f"| {what} | {count:,} |" for what, count in context.warehouse.query(COUNTS)]
    if staged and staged.problems:
        lines += ["", "## Rows that wait", "", "| why | rows | for example |", "|---|--:|---|"]
        lines += [f"| {one.says} | {one.rows:,} | {one.samples} |" for one in staged.problems]
        lines += ["", DECIDE]
    unmatched = context.warehouse.query(UNMATCHED)
    if unmatched:
        lines += ["", "## Rows without their project", "", "| why | rows |", "|---|--:|"]
        lines += [f"| {reason} | {count:,} |" for reason, count in unmatched]
    create_markdown_artifact("\n".join(lines), key="customer-engagement-way", description="From cell to summary")

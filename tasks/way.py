"""The way of a sheet's rows from cell to summary, as an artifact."""

from __future__ import annotations

from prefect.artifacts import create_markdown_artifact

from regulars.postgres.staging import StagedSheet
from regulars.postgres.store import open_store
from regulars.step_log import logger
from tasks.context import RunContext
from tasks.review import ReviewRead

COUNTS = """
select 'months of clients and projects' as what, count(*) as row_count from marts.customer_engagement_monthly
union all
select 'clients and projects', count(*) from marts.customer_engagement_summary
order by 2 desc nulls last, 1
"""
UNMATCHED = "select reason, row_count from marts.engagement_unmatched_rows where row_count > 0 order by row_count desc nulls last, reason"
WAITING = "select count(*) from mapping.review where status = 'proposed' and not is_usable"
DECIDE = "`regulars mappings list --waiting` shows what to decide; the next run takes it into account."
BRING = (
    "`regulars mappings export --to-review --waiting` brings them to {}; the next run reads what people decide there."
)


def way_artifact(context: RunContext, staged: StagedSheet | None, review: ReviewRead) -> None:
    """How many rows each step has, why rows wait, how many values people have to decide on, and which rows have no project."""
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
    if staged:
        lines += _to_decide(context, review)
    unmatched = context.warehouse.query(UNMATCHED)
    if unmatched:
        lines += ["", "## Rows without their project", "", "| why | rows |", "|---|--:|"]
        lines += [f"| {reason} | {count:,} |" for reason, count in unmatched]
    create_markdown_artifact("\n".join(lines), key="customer-engagement-way", description="From cell to summary")


def _to_decide(context: RunContext, review: ReviewRead) -> list[str]:
    with open_store(context.settings) as store:
        found = store.execute(WAITING).fetchone()
    count = found[0] if found else 0
    lines = ["", "## Decisions that were not taken over", "", f"```text\n{review.wrong}\n```"] if review.wrong else []
    if count:
        how = BRING.format(review.place) if review.place else DECIDE
        logger.info("%s values wait for a decision: %s", count, how)
        lines += ["", f"{count:,} values wait for a decision: {how}"]
    return lines

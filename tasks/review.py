"""The tab in which people decide what words and numbers mean: read by every run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from prefect import task

from regulars.errors import ContractError
from regulars.postgres.review import take_over_review
from regulars.postgres.store import open_store
from regulars.sources.review_entry import place_of
from regulars.sources.review_tab import read_review, review_request
from regulars.step_log import logger
from tasks.context import RunContext, utc_now
from tasks.retry import RETRIED

SHOWN = 10  # rows that a later decision overrules


@dataclass(frozen=True)
class ReviewRead:
    """Where people decide (empty: nowhere but in files and by commands), how many values they decided anew, and which rows are wrong."""

    place: str = ""
    changed: int = 0
    wrong: str = ""


@task(name="review", task_run_name="take over decisions", timeout_seconds=3600, **RETRIED)
def take_review(context: RunContext) -> ReviewRead:
    """Take over the decisions of the tab that sources.yml names.

    A wrong row is a warning: its tab changes nothing then, and the run goes on with what was decided before, because values
    that nobody decided wait anyway. A tab that cannot be read is an error, as any source is.
    """
    source = context.sources.review
    if source is None:
        return ReviewRead()
    place = place_of(source)
    with context.step("review", place) as facts, open_store(context.settings) as store:
        try:
            tab = read_review(review_request(context.sources, context.settings, context.run.as_of))
            found = take_over_review(store, tab, at=utc_now().replace(tzinfo=UTC))
        except ContractError as error:
            logger.warning("decisions were not taken over: %s", error)
            facts.update(status="refused", message=error.message)
            return ReviewRead(place, wrong=str(error))
        if tab.note:
            logger.info("nothing was decided in a tab: %s", tab.note)
        for row in found.overruled[:SHOWN]:
            logger.info("%s: %s", tab.place, row)
        done = found.decided
        facts.update(
            approved=done.approved, rejected=done.rejected, unchanged=done.unchanged, overruled=len(found.overruled)
        )
        return ReviewRead(place, done.approved + done.rejected)

"""Pictures of what a refresh found, as files and as an artifact."""

from __future__ import annotations

from prefect import task
from prefect.artifacts import create_markdown_artifact

from regulars.extras import absent_modules
from regulars.run_days import landed_days
from regulars.stages import Stage
from regulars.step_log import logger
from tasks.context import RunContext
from tasks.retry import TASK

WITHOUT = "Pictures are left out: they need matplotlib, pip install 'regulars[science]'."


@task(name="charts", task_run_name="charts {context.run.as_of}", timeout_seconds=600, **TASK)
def draw_charts(context: RunContext, stage: Stage) -> None:
    """Draw what was published into `<home>/charts/<newest landed day>` and into an artifact; an installation without the extra says so."""
    with context.step("charts") as facts:
        days = landed_days(context.warehouse, stage)
        if not days:
            return
        if absent_modules(["matplotlib"]):
            facts.update(status="skipped", message=WITHOUT)
            logger.warning(WITHOUT)
            create_markdown_artifact(WITHOUT, key="charts", description="Pictures of the shop")
            return
        from regulars.charts.gallery import as_markdown, draw_gallery, write_gallery

        pictures = draw_gallery(context.warehouse, days[-1], max(context.run.as_of, days[-1]))
        write_gallery(pictures, context.settings.home_dir / "charts" / days[-1].isoformat())
        create_markdown_artifact(
            as_markdown(pictures, days[-1]),
            key="charts",
            description="Pictures of the shop: sales, categories, customers, findings",
        )
        facts.update(pictures=len(pictures))

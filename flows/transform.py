"""Flow `transform`: build the marts, judge them, and switch readers over."""

from __future__ import annotations

from datetime import date

from prefect import flow

from regulars.dbt_project import Built
from regulars.quality.data_docs import DataDocs
from tasks.build import build_marts
from tasks.context import RunContext, open_context, writing
from tasks.gate import check_gate, data_docs, mart_suites
from tasks.naming import run_name
from tasks.publish import publish_schemas, record_freshness


@flow(name="transform", flow_run_name=run_name, description="Build, judge and publish the marts", persist_result=False)
def transform(as_of: date | None = None, rebuild: bool = False, fail_on_block: bool = True) -> list[Built]:
    """Bring the marts up to what is landed; nothing is published unless the gate on marts lets it.

    Args:
        as_of: Business date; default the day before the scheduled one.
        rebuild: Build every day again from the landings, not only what changed.
        fail_on_block: End with an error where the gate on marts blocks; false publishes knowingly.
    """
    context = open_context("transform", as_of)
    with writing(context), data_docs(context) as docs:
        return build_and_publish(context, docs, rebuild, fail_on_block)


def build_and_publish(context: RunContext, docs: DataDocs, rebuild: bool, fail_on_block: bool) -> list[Built]:
    """Build the marts, judge them and switch readers over."""
    built = build_marts(context, rebuild)
    record_freshness(context)
    check_gate(context, "marts", mart_suites(), docs, fail_on_block)
    publish_schemas(context, ["marts", "ops"])
    return built

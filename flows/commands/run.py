"""`regulars run` and `regulars plan`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import datetime
from typing import Annotated, Any

import typer
import yaml

from flows.commands.console import print_table, show_steps
from regulars.errors import ConfigError

FLOWS = {
    "daily-loyalty-merge": "flows.loyalty:daily_loyalty_merge",
    "weekly-customer-analytics": "flows.sales:weekly_customer_analytics",
    "customer-engagement": "flows.engagement:customer_engagement",
    "ingest": "flows.ingest:ingest",
    "transform": "flows.transform:transform",
    "segment": "flows.segment:segment",
}

FlowName = Annotated[str, typer.Argument(help=f"One of: {', '.join(FLOWS)}")]
AsOf = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Business date; default yesterday.")]
Parameters = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A parameter of the flow.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def run(name: FlowName, as_of: AsOf = None, parameters: Parameters = None, as_json: Json = False) -> None:
    """Run a flow in this process."""
    flow = load_flow(name)
    arguments = parse_parameters(flow, parameters or [])
    if as_of:
        arguments["as_of"] = as_of.date()
    with show_steps(quiet=as_json):
        flow(**arguments)
    show_summary(arguments.get("as_of"), as_json)


def plan(name: FlowName, as_of: AsOf = None, parameters: Parameters = None, as_json: Json = False) -> None:
    """Show what a run would read, change and publish; nothing is read from a source and nothing is written."""
    from flows.commands.planning import plan_flow

    flow = load_flow(name)
    steps = plan_flow(name, as_of.date() if as_of else None, parse_parameters(flow, parameters or []))
    if as_json:
        typer.echo(json.dumps(steps, default=str, indent=1))
        return
    for step in steps:
        typer.echo(f"{step['stage']:<8} {step['what']}")


def load_flow(name: str) -> Any:
    """The flow of that name. Raises ConfigError that lists the names there are."""
    if name not in FLOWS:
        raise ConfigError(f"there is no flow {name!r}", remedy=f"one of: {', '.join(FLOWS)}")
    from flows.commands.prefect_profile import use_local_prefect

    use_local_prefect()
    from importlib import import_module

    module, attribute = FLOWS[name].split(":")
    return getattr(import_module(module), attribute)


def parse_parameters(flow: Any, pairs: list[str]) -> dict[str, Any]:
    """`key=value` pairs as parameters of `flow`: values in YAML notation, lists also as `a,b`."""
    known = flow.parameters.properties
    parsed: dict[str, Any] = {}
    for pair in pairs:
        key, separator, text = pair.partition("=")
        if not separator or key not in known:
            raise ConfigError(f"--set {pair}: {flow.name} has no such parameter", remedy=f"one of: {', '.join(known)}")
        value = yaml.safe_load(text)
        takes_list = "array" in json.dumps(known[key])
        parsed[key] = (
            [item.strip() for item in text.split(",")] if takes_list and not isinstance(value, list) else value
        )
    try:
        validated: dict[str, Any] = flow.validate_parameters(parsed)
    except Exception as error:
        raise ConfigError(
            f"--set: {error}",
            remedy=f"types: {json.dumps({k: v.get('type', v.get('anyOf')) for k, v in known.items()})}",
        ) from None
    return {key: validated[key] for key in parsed}


def show_summary(as_of: Any, as_json: bool) -> None:
    """Rows per table and what was delivered by the newest run of this home, from the published copy, if there is one."""
    from flows.commands.inspect import published

    with ExitStack() as stack:
        try:
            reader = stack.enter_context(published())
        except ConfigError as error:  # a run of `ingest` publishes nothing
            typer.echo(json.dumps({"as_of": as_of}, default=str) if as_json else error.message)
            return
        day = as_of or reader.query("select max(as_of) from ops.runs")[0][0]
        rows = reader.query(
            """select table_name, revision, rows_read, rows_loaded, rows_quarantined, rows_duplicate, rows_filtered
               from ops.ingestion_logs where as_of = ? and status = 'loaded' order by table_name, revision""",
            [day],
        )
        delivered = reader.query(
            'select segment, team, revision, "ROWS", entered, left_count, manifest from ops.deliveries where as_of = ? order by segment, revision',
            [day],
        )
    if as_json:
        typer.echo(json.dumps({"as_of": day, "loaded": rows, "delivered": delivered}, default=str))
        return
    print_table(
        f"Loaded for {day}", ["table", "revision", "read", "loaded", "quarantined", "duplicate", "filtered"], rows
    )
    print_table(
        f"Delivered for {day}", ["segment", "team", "revision", "members", "entered", "left", "manifest"], delivered
    )

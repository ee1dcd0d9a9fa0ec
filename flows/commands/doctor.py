"""`regulars doctor`: whether this place can run, and what to do where it cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from flows.commands.console import print_table
from regulars.contracts import read_contracts
from regulars.errors import RegularsError
from regulars.settings import Settings, load_settings
from regulars.sources.config import read_sources
from regulars.storage import open_storage
from tasks.blocks import with_blocks

Finding = tuple[str, str, str]


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False) -> None:
    """Check settings, sources, landing, deliveries and the warehouse with its grants. Exit status 1 where something is wrong."""
    settings = with_blocks(load_settings())
    findings = list(examine(settings))
    if as_json:
        typer.echo(json.dumps([dict(zip(("part", "state", "what"), found, strict=True)) for found in findings]))
    else:
        print_table("", ["part", "state", "what"], findings)
    if any(state != "ok" for _, state, _ in findings):
        raise typer.Exit(1)


def examine(settings: Settings) -> Iterator[Finding]:
    """(part, `ok` or `wrong`, words) for each part; one that is wrong does not keep the others from being looked at."""
    parts = {"contracts and sources": _sources, "landing": _landing, "deliveries": _deliveries, "warehouse": _warehouse}
    for part, look in parts.items():
        try:
            for state, words in look(settings):
                yield part, state, words
        except RegularsError as error:
            yield part, "wrong", str(error)


def _sources(settings: Settings) -> Iterator[tuple[str, str]]:
    contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
    sources = read_sources(settings.sources_path, contracts, needed=set())
    yield "ok", f"{len(contracts)} contracts, {len(sources.tables)} tables in {settings.sources_path}"


def _landing(settings: Settings) -> Iterator[tuple[str, str]]:
    tables = open_storage(settings.landing_root, settings.s3).names("")
    yield "ok", f"{settings.landing_root} answers, {len(tables)} tables"


def _deliveries(settings: Settings) -> Iterator[tuple[str, str]]:
    places = open_storage(settings.delivery_root, settings.s3).names("")
    yield "ok", f"{settings.delivery_root} answers, {len(places)} places"


def _warehouse(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.warehouse == "duckdb":
        there = "is there" if settings.warehouse_path.exists() else "will be made by the first run"
        yield "ok", f"duckdb, {settings.warehouse_path} {there}"
        return
    from flows.commands.snowflake import account_of
    from regulars.warehouse.snowflake_account import missing_grants
    from regulars.warehouse.snowflake_session import SnowflakeSessions

    given = settings.snowflake
    with SnowflakeSessions(given, None) as sessions:
        ((version,),) = sessions.query("select current_version()")
        yield "ok", f"Snowflake {version} lets {given.user} in"
        missing = missing_grants(sessions, account_of(settings).grants())
    for grant in missing:
        yield "wrong", f"{grant.role} lacks: {grant.statement}"
    if not missing:
        yield "ok", "every grant of deployments/snowflake is there"

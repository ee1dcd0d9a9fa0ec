"""`regulars sql`, `status` and `validate`: looking, without changing anything."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from flows.commands.console import print_table
from flows.commands.prefect_profile import with_named_blocks
from regulars.contracts import Contract, read_contracts
from regulars.discovery.questions import open_questions
from regulars.errors import ConfigError, EngineError
from regulars.settings import load_settings
from regulars.sheet_contracts import read_sheet_contracts
from regulars.sources.config import read_sources
from regulars.warehouse.published import PublishedReader, read_published

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]

LAST_RUNS = """
select flow, as_of, status, started_at, round(datediff('millisecond', started_at, finished_at) / 1000.0, 1) as seconds, message
from ops.runs
order by started_at desc
limit 10
"""
FRESHNESS = """
select table_name, last_as_of, age_days, status, is_required
from ops.freshness
where as_of = (select max(as_of) from ops.freshness)
order by table_name
"""
QUARANTINED = """
select table_name, as_of, sum(rows_quarantined) as rows_quarantined
from ops.ingestion_logs
where batch_id in (select batch_id from ops.effective_batches) and rows_quarantined > 0
group by table_name, as_of
order by as_of desc, table_name
limit 20
"""
FAILED_CHECKS = """
select as_of, layer, table_name, check_name, severity, observed_value, expected
from ops.dq_check_logs
where status in ('failed', 'error') and as_of = (select max(as_of) from ops.dq_check_logs)
order by severity, table_name, check_name
"""


@contextmanager
def published() -> Iterator[PublishedReader]:
    """The published copy, open for reading. Raises ConfigError where nothing was published yet."""
    settings = load_settings()
    with read_published(settings if settings.warehouse == "duckdb" else with_named_blocks(settings)) as reader:
        yield reader


def sql(
    query: Annotated[str | None, typer.Argument(help="A query over marts, segments and ops.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="The query is in this file, like those of docs/reports.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")] = False,
    as_json: Json = False,
) -> None:
    """Query what is published."""
    asked = query if file is None else _text_of(file)
    if not asked or (query and file):
        raise ConfigError("give a query or --file", remedy="one of both; see `regulars sql --help`")
    with published() as reader:
        try:
            names, rows = reader.table(asked)
        except (duckdb.Error, EngineError) as error:
            raise ConfigError(
                f"the query failed: {error}", remedy='see `regulars sql "show all tables"` for names'
            ) from None
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    elif as_json:
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str))
    else:
        print_table("", names, rows)


def _text_of(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"{file} cannot be read: {why}", remedy="name a file with one query") from None


def status(as_json: Json = False) -> None:
    """Last runs, freshness, quarantine and failed checks."""
    sections = {
        "Last runs": LAST_RUNS,
        "Freshness": FRESHNESS,
        "Quarantined rows": QUARANTINED,
        "Failed checks": FAILED_CHECKS,
    }
    with published() as reader:
        found = {title: reader.table(query) for title, query in sections.items()}
    if as_json:
        listed = {title: [dict(zip(names, row, strict=True)) for row in rows] for title, (names, rows) in found.items()}
        typer.echo(json.dumps(listed, default=str))
        return
    for title, (names, rows) in found.items():
        print_table(title if rows else f"{title}: none", names if rows else [], rows)


def validate(
    draft: Annotated[Path | None, typer.Argument(help="Folder of a draft of `discover`; default: the project.")] = None,
    as_json: Json = False,
) -> None:
    """Check settings, contracts and sources.yml, and say what is open; sources are not read and secrets are not needed."""
    settings = load_settings()
    models = settings.dbt_project_dir / "models" / "staging"
    places = (models, settings.sources_path) if draft is None else (draft / "staging", draft / "sources.yml")
    contracts = read_contracts(places[0])
    if draft is not None:
        _refuse_taken(contracts, read_contracts(models))
    sheets = read_sheet_contracts(settings)
    sources = read_sources(places[1], contracts, needed=set(), sheets=sheets)
    questions = open_questions(places)
    absent = sorted(set(contracts) - set(sources.tables))
    facts: dict[str, Any] = {
        "contracts": len(contracts),
        "columns": sum(len(contract.columns) for contract in contracts.values()),
        "sources": len(sources.tables),
        "sheets": len(sources.sheets),
        "connections": len(sources.connections),
        "without_source": absent,
        "open": [{"file": str(one.file), "line": one.line, "what": one.what} for one in questions],
    }
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        typer.echo(f"contracts: {facts['contracts']} tables, {facts['columns']} columns, all well formed")
        sheets_too = f" and {facts['sheets']} sheets" if facts["sheets"] else ""
        typer.echo(f"{places[1]}: {facts['sources']} tables{sheets_too} from {facts['connections']} connections")
        if absent:
            typer.echo(f"left out (no source): {', '.join(absent)}")
        for question in questions:
            typer.echo(f"open: {question}")
        if questions:
            typer.echo(f"{len(questions)} open: decide each, and take its TODO away")
    if questions:
        raise typer.Exit(1)


def _refuse_taken(draft: Mapping[str, Contract], project: Mapping[str, Contract]) -> None:
    taken = sorted(name for name in draft if name in project and draft[name] != project[name])
    if taken:
        raise ConfigError(
            f"contracts of that name are in the project already: {', '.join(taken)}",
            remedy="rename the table in contract, sources.yml and staging model, or map the source to the contract that is there",
        )

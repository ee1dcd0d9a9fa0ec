"""`regulars discover`: drafts for a source that nobody described yet."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.console import console, print_table
from regulars.contracts import read_contracts
from regulars.discovery.discover import Discovered, discover
from regulars.discovery.draft import write_draft
from regulars.discovery.found import TableFound
from regulars.discovery.questions import open_questions
from regulars.settings import Settings, load_settings
from regulars.sources.config import BLOCK, Connection, ResolveBlock, Sources, fill_connection, read_sources


def discover_command(
    place: Annotated[
        str, typer.Argument(help="A folder or file, the url of a database, or a connection of sources.yml.")
    ],
    name: Annotated[
        str | None, typer.Option(help="Name of the group; default: the folder's or the connection's.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the drafts; default: draft/<name>.")] = None,
    table: Annotated[str | None, typer.Option(help="One table alone.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="Rows of each table that are looked at.")] = 100_000,
    force: Annotated[bool, typer.Option("--force", help="Write over drafts that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output.")] = False,
) -> None:
    """Draft contracts, sources.yml and staging models from what is found; a person corrects them, `validate` says what is open."""
    settings = load_settings()
    contracts = read_contracts(settings.dbt_project_dir / "models" / "staging")
    sources = _sources(place, settings, contracts)

    def show(one: TableFound) -> None:
        if not as_json:
            console.print(f"looked at {one.shelf.table}: {one.rows:,} rows of {one.shelf.of}")

    found = discover(
        place,
        settings,
        sources,
        group=name,
        only=table,
        rows=rows,
        contracts=contracts,
        fill=partial(_filled, settings.sources_path),
        progress=show,
    )
    out = out or Path("draft") / found.group
    written = write_draft(found, out, force=force) if found.tables else []
    questions = open_questions(written)
    if as_json:
        facts = [_facts(one) for one in found.tables]
        failed = [str(error) for error in found.failed]
        typer.echo(json.dumps({"tables": facts, "files": [str(path) for path in written], "failed": failed}))
    else:
        _show(found, out, written, len(questions))
    if found.failed:
        raise typer.Exit(1)


def _sources(place: str, settings: Settings, contracts: Any) -> Sources | None:
    """sources.yml as it stands, without secrets; none where the place is a path or a url."""
    if "://" in place or Path(place).expanduser().exists() or not settings.sources_path.exists():
        return None
    return read_sources(settings.sources_path, contracts, needed=set())


def _filled(path: Path, name: str, connection: Connection) -> Connection:
    """The connection with its secrets; only one that names blocks needs Prefect."""
    resolve: ResolveBlock | None = None
    if BLOCK.search(f"{connection.url} {connection.path} {connection.options}"):
        from flows.commands.prefect_profile import use_local_prefect

        use_local_prefect()
        from tasks.blocks import resolve_block as resolve
    return fill_connection(path, name, connection, resolve)


def _facts(table: TableFound) -> dict[str, Any]:
    return {
        "table": table.shelf.table,
        "rows": table.rows,
        "columns": len(table.columns),
        "key": ", ".join(table.key.value) or "?",
        "mode": table.mode.value + ("?" if table.mode.ask else ""),
        "event time": table.event_time.value or "",
        "personal": ", ".join(f"{column.name} ({column.pii.value})" for column in table.columns if column.pii.value),
        "open": table.questions,
    }


def _show(found: Discovered, out: Path, written: list[Path], questions: int) -> None:
    facts = [_facts(table) for table in found.tables]
    console.print()
    if facts:
        print_table(f"Found at {found.connection_name}", list(facts[0]), [list(one.values()) for one in facts])
    for error in found.failed:
        console.print(f"left out: {error}\n", style="bold")
    if not written:
        return
    console.print("Drafts")
    for path in written:
        console.print(f"  {path}")
    secret = f"\n  export {found.variable}=...   # the url, which the drafts do not hold" if found.variable else ""
    console.print(
        f"\nNext{secret}\n"
        f"  1. decide what the {questions} TODOs ask, correct the guesses:  regulars validate {out}\n"
        f"  2. take them over:  cp -r {out / 'staging' / found.group} dbt/warehouse/models/staging/  and the entries of\n"
        f"     {out / 'sources.yml'} into your sources.yml (REGULARS_SOURCES)\n"
        f"  3. regulars validate, then  regulars run ingest --set tables={found.tables[0].shelf.table} --as-of <day>\n"
        f"  4. write what is to come of it, and name {found.group} in a stage: vars.stages of dbt/warehouse/dbt_project.yml"
    )

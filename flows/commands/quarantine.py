"""`regulars quarantine`: rows that broke a rule, and bringing them back after the fix."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Annotated, Any

import typer

from flows.commands.console import print_table

app = typer.Typer(no_args_is_help=True, help=__doc__)

AsOf = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Business date.")]
Table = Annotated[str | None, typer.Option(help="Raw table.")]

LIST = """
select q.table_name, q.as_of, q.source, q.record_number, q.rule, q.reason, q.replayed_at
from quarantine."ROWS" as q
inner join ops.effective_batches as e on q.batch_id = e.batch_id
where (? is null or q.table_name = ?) and (? is null or q.as_of = ?) and (? is null or q.rule = ?) and (? or q.replayed_at is null)
order by q.as_of, q.table_name, q.source, q.record_number
limit ?
"""


REASON = re.compile(r"(?s)(\w+:).*( is (?:not|none of|below|above) .*)")


def without_value(reason: str) -> str:
    """A reason without the value that it quotes: where cells are shifted, a personal one may stand in any column."""
    return REASON.sub(r"\1\2", reason)


@app.command("list")
def list_rows(
    table: Table = None,
    as_of: AsOf = None,
    rule: Annotated[str | None, typer.Option(help="Only rows that broke this rule.")] = None,
    replayed: Annotated[bool, typer.Option("--replayed", help="Also rows that were brought back.")] = False,
    limit: Annotated[int, typer.Option(help="Rows at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """List quarantined rows by place and reason; their contents stay in the restricted table quarantine.rows."""
    with _context() as context:
        day = as_of.date() if as_of else None
        found = context.warehouse.query(LIST, [table, table, day, day, rule, rule, replayed, limit])
        personal = {name for name, contract in context.contracts.items() if contract.personal_columns}
    rows = [(*row[:5], without_value(row[5]) if row[0] in personal else row[5], row[6]) for row in found]
    names = ["table", "as_of", "source", "record", "rule", "reason", "replayed_at"]
    if as_json:
        typer.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str))
    else:
        print_table(f"{len(rows)} quarantined rows", names, rows)


@app.command("replay")
def replay_rows(
    table: Annotated[str, typer.Option(help="Raw table.")],
    as_of: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Business date of the batch.")],
) -> None:
    """Type quarantined rows again by the present contract and sources.yml; those that pass are added to their day."""
    from regulars.quality.quarantine import replay
    from tasks.context import utc_now

    rows = 0
    with _context(as_of.date()) as context:
        contract = context.contracts[table]
        for held in (False, True):
            landed = replay(contract, context.sources, context.settings, context.run, as_of.date(), held=held)
            if landed is not None:
                context.warehouse.load(contract, [landed.manifest], context.run, utc_now())
                rows += landed.manifest.rows_loaded
                typer.echo(
                    f"{landed.manifest.rows_loaded} rows of {table} came back for {as_of.date()} (revision {landed.manifest.revision})"
                )
    if not rows:
        typer.echo("no quarantined row passes the present rules; nothing changed")
        return
    typer.echo("the next run of the flow that reads the table builds that day and the days after it again")


@app.command("add")
def add_rows(
    rule: Annotated[str, typer.Option(help="Rule of detection; `ops.findings` lists what each found.")],
    as_of: AsOf = None,
) -> None:
    """Put the rows that a rule of detection found into quarantine, all or those of a day, until they are replayed."""
    from regulars.quality.holds import held_rule, hold
    from tasks.context import utc_now

    with _context(as_of.date() if as_of else None) as context:
        found = held_rule(rule, context.contracts)
        contract = context.contracts[found.table]
        held = hold(context.warehouse, contract, context.settings, context.run, found, [as_of.date()] if as_of else [])
        for one in held:
            context.warehouse.load(contract, [one.manifest], context.run, utc_now())
            typer.echo(
                f"{one.rows} rows of {found.table} of {one.manifest.as_of} are in quarantine (revision {one.manifest.revision})"
            )
    if not held:
        typer.echo(f"rule {rule} found no rows of {found.table} to hold")
        return
    typer.echo(
        "the next `regulars run weekly-customer-analytics` builds without them; `regulars quarantine replay` brings them back"
    )


def _context(as_of: Any = None) -> Any:
    from contextlib import contextmanager

    from flows.commands.prefect_profile import use_local_prefect

    use_local_prefect()
    from tasks.context import open_context
    from tasks.writing import writing

    @contextmanager
    def opened() -> Any:
        context = open_context("quarantine", as_of)
        with writing(context):
            yield context

    return opened()

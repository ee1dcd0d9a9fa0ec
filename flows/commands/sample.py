"""`regulars sample` and `regulars stop`: sample data, and the embedded PostgreSQL that can hold it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from flows.commands.console import console
from regulars.postgres.server import start_server, stop_server
from regulars.sample.load import load_day
from regulars.sample.spec import SampleSpec
from regulars.sample.write import write_sample
from regulars.settings import load_settings


def sample(
    out: Annotated[Path, typer.Option(help="Folder to write <table>/<day>.csv and planted.json to.")],
    users: Annotated[int, typer.Option(help="Accounts on the first day.")] = 3000,
    days: Annotated[int, typer.Option(help="Business days.")] = 5,
    seed: Annotated[int, typer.Option(help="Same seed, same rows.")] = 7,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="First business day.")] = datetime(2026, 1, 5),  # noqa: DTZ001
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet instead of CSV.")] = False,
    faults: Annotated[bool, typer.Option(help="Plant faults.")] = True,
    load_postgres: Annotated[
        bool, typer.Option("--load-postgres", help="Also fill the embedded PostgreSQL, up to the last day.")
    ] = False,
) -> None:
    """Make sample data of the thirteen sources, with planted faults."""
    spec = SampleSpec(users=users, days=days, seed=seed, start=start.date(), faults=faults)
    with Progress(console=console, transient=True) as progress:
        job = progress.add_task("sample", total=None)

        def show(what: str, done: int, total: int) -> None:
            progress.update(job, description=what, completed=done, total=total)

        counts = write_sample(spec, out, ["parquet" if parquet else "csv"], progress=show)
    for table, rows in counts.items():
        typer.echo(f"{table:<24} {rows:>12,} rows")
    typer.echo(f"written to {out}, what was planted is in {out / 'planted.json'}")
    if load_postgres:
        server = start_server(load_settings().home_dir)
        load_day(spec, spec.all_days()[-1], server.uri())
        typer.echo(f"embedded PostgreSQL holds the evening of {spec.all_days()[-1]}: psql '{server.uri('dw_a')}'")


def stop() -> None:
    """Stop the embedded PostgreSQL of this home; its data stay."""
    stopped = stop_server(load_settings().home_dir)
    typer.echo("embedded PostgreSQL stopped" if stopped else "no embedded PostgreSQL was running")

"""The command line: `regulars` or `python -m flows`."""

from __future__ import annotations

import sys

import typer

from flows.commands import account, demo, discover, doctor, export, inspect, mappings, quarantine, run, sample
from regulars.errors import RegularsError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.command("run")(run.run)
app.command("plan")(run.plan)
app.command("sql")(inspect.sql)
app.command("export")(export.export_command)
app.command("status")(inspect.status)
app.command("validate")(inspect.validate)
app.command("discover")(discover.discover_command)
app.command("sample")(sample.sample)
app.command("demo")(demo.demo)
app.command("stop")(sample.stop)
app.command("doctor")(doctor.doctor)
app.add_typer(account.app, name="snowflake")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(mappings.app, name="mappings")


def main() -> None:
    """Entry point. Exit status 0 when everything asked for succeeded, 2 for wrong usage or settings, else 1."""
    try:
        app()
    except RegularsError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()

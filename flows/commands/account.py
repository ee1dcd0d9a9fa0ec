"""`regulars snowflake`: the set-up of an account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.console import console
from flows.commands.prefect_profile import with_named_blocks
from regulars.account.apply import account_session, apply_steps
from regulars.account.check import check_account
from regulars.account.plan import Account, account_folder, plan_account
from regulars.account.spec import read_spec
from regulars.account.templates import render
from regulars.errors import ConfigError
from regulars.findings import Finding
from regulars.settings import load_settings

app = typer.Typer(no_args_is_help=True, help=__doc__)
ASKED_FOR = "20"  # steps from this number on are only taken when they are named


@app.callback()
def snowflake() -> None:
    """The set-up of a Snowflake account, from deployments/snowflake."""


@app.command("setup")
def setup(
    is_print: Annotated[bool, typer.Option("--print", help="Print the statements; nothing is connected to.")] = False,
    is_check: Annotated[
        bool, typer.Option("--check", help="Say what is missing, with the statement that mends it.")
    ] = False,
    is_apply: Annotated[bool, typer.Option("--apply", help="Run the statements; may be run again.")] = False,
    step: Annotated[str | None, typer.Option(help="One step, for example 07 or 20_first_look.")] = None,
    file: Annotated[Path | None, typer.Option(help="Default: deployments/snowflake/account.yml.")] = None,
    role: Annotated[str, typer.Option(help="Role of the login that checks or applies.")] = "ACCOUNTADMIN",
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable output of --check.")] = False,
) -> None:
    """Print, check or apply databases, warehouses, roles, privileges, stages, masks and logins."""
    if is_print + is_check + is_apply != 1:
        raise ConfigError("say what to do", remedy="one of --print, --check and --apply")
    settings = with_named_blocks(load_settings())
    account = plan_account(settings, read_spec(file or account_folder(settings) / "account.yml"))
    if is_print:
        _print(account, step)
        return
    with account_session(settings.snowflake, role) as ask:
        if is_apply:
            steps = [one for one in render(account, step) if step or one.number < ASKED_FOR]
            apply_steps(account, steps, ask, console.print)
            return
        show_findings(check_account(account, ask), as_json)


def show_findings(findings: list[Finding], as_json: bool) -> None:
    """Print what was found. Ends with exit status 1 where something is missing."""
    lacking = [finding for finding in findings if not finding.is_fine]
    if as_json:
        listed = [{"what": one.what, "ok": one.is_fine, "remedy": one.remedy} for one in findings]
        typer.echo(json.dumps(listed, indent=1))
    else:
        for finding in findings:
            typer.echo(f"{'ok      ' if finding.is_fine else 'MISSING '} {finding.what}")
            if finding.remedy and not finding.is_fine:
                typer.echo(f"         {finding.remedy}")
        typer.echo(f"{len(findings) - len(lacking)} of {len(findings)} as they should be")
    if lacking:
        raise typer.Exit(1)


def _print(account: Account, step: str | None) -> None:
    for found in render(account, step):
        if step or found.number < ASKED_FOR:
            typer.echo(f"-- {found.number}: {found.title}")
            for statement in found.statements:
                typer.echo(f"{statement};")
            typer.echo("")

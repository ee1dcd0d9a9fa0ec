"""`regulars snowflake setup`: the account's databases, roles, warehouses and grants, as SQL, checked or made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.console import print_table
from regulars.contracts import read_contracts
from regulars.errors import ConfigError
from regulars.segments.config import read_segments
from regulars.settings import Settings, load_settings
from tasks.blocks import with_blocks

if TYPE_CHECKING:
    from regulars.warehouse.snowflake_account import Account

app = typer.Typer(no_args_is_help=True, help="Set up a Snowflake account: docs/production.md.")


@app.callback()
def snowflake() -> None:
    """Set up a Snowflake account: docs/production.md."""


@app.command()
def setup(
    show: Annotated[bool, typer.Option("--print", help="Print the SQL; nothing is asked of the account.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Say which grants are missing; exit status 1 if any is.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Run the SQL, as a user who may become accountadmin.")] = False,
    aws_role: Annotated[str | None, typer.Option(help="ARN of the AWS role that may touch the buckets.")] = None,
    credits: Annotated[int, typer.Option(min=1, help="Credits a month at which everything stops.")] = 100,
    network: Annotated[
        list[str] | None, typer.Option(help="Address ranges of the workers, for the example policy.")
    ] = None,
) -> None:
    """Print, check or apply deployments/snowflake/*.sql, filled with this place's names. Applying may be repeated."""
    if show + check + apply != 1:
        raise ConfigError("say what to do", remedy="one of --print, --check, --apply")
    from regulars.warehouse.snowflake_account import UNKNOWN, apply_scripts, missing_grants
    from regulars.warehouse.snowflake_session import SnowflakeSessions

    settings = load_settings()
    account = account_of(settings, aws_role, credits, network)
    scripts = account.scripts()
    if show:
        for name, statements in scripts.items():
            typer.echo(f"-- {name}")
            typer.echo("".join(f"{statement};\n" for statement in statements))
        return
    if apply and any(UNKNOWN in statement for statements in scripts.values() for statement in statements):
        raise ConfigError(
            "the landing and its AWS role are not known",
            remedy="set REGULARS_LANDING_URL and REGULARS_DELIVERY_URL to s3:// URLs and give --aws-role",
        )
    with SnowflakeSessions(with_blocks(settings).snowflake, None) as sessions:
        if apply:
            for name in apply_scripts(sessions, scripts):
                typer.echo(name)
        missing = missing_grants(sessions, account.grants())
    if missing:
        print_table("Missing", ["role", "lacks"], [(grant.role, grant.statement) for grant in missing])
        raise typer.Exit(1)
    typer.echo(f"all {len(account.grants())} grants are there")


def account_of(
    settings: Settings, aws_role: str | None = None, credits: int = 100, network: list[str] | None = None
) -> Account:
    """The account that these settings, contracts and segments need."""
    from regulars.warehouse.snowflake_account import Account

    models = settings.dbt_project_dir / "models"
    contracts = read_contracts(models / "staging")
    teams = sorted({segment.delivery.team for segment in read_segments(models / "segments", contracts).values()})
    given: dict[str, Any] = {"aws_role": aws_role, "network": tuple(network) if network else None}
    known = {name: value for name, value in given.items() if value is not None}
    return Account(settings, contracts, teams, credits=credits, **known)

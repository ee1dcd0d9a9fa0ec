"""Running the set-up: statement by statement, each of which may be run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from regulars.account.check import check_grants
from regulars.account.grants import Ask
from regulars.account.plan import PUBLISHED, Account
from regulars.account.sql_text import name
from regulars.account.templates import Step
from regulars.errors import ConfigError, RegularsError
from regulars.snowflake_settings import SnowflakeSettings

Report = Callable[[str], None]


@contextmanager
def account_session(access: SnowflakeSettings, role: str | None) -> Iterator[Ask]:
    """One session for all statements, because the role changes from step to step; rows have names in lower case."""
    from regulars.warehouse.snowflake_errors import plain_snowflake_errors  # who prints needs no client of Snowflake
    from regulars.warehouse.snowflake_session import SnowflakeSessions

    with SnowflakeSessions(access.model_copy(update={"role": role}), None) as sessions:
        connection = sessions.connect()

        def ask(statement: str) -> list[dict[str, Any]]:
            with plain_snowflake_errors("Snowflake"), connection.cursor() as cursor:
                cursor.execute(str(statement))
                names = [column[0].lower() for column in cursor.description or ()]
                return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        yield ask


def apply_steps(account: Account, steps: list[Step], ask: Ask, report: Report) -> int:
    """Run the steps in order; gives the number of statements that ran. Privileges that are held are not granted again

    (Snowflake refuses a second grant of future ownership). Raises the first error, with step and statement.
    """
    done = 0
    for step in steps:
        if step.needs_publication and not _is_published(account, ask):
            report(
                f"{step.number}: left for later: nothing is published yet. Run it again after the first run of the flows."
            )
            continue
        held = _held_statements(account, step, ask)
        for statement in step.statements:
            if statement in held:
                continue
            try:
                ask(statement)
            except RegularsError as error:
                head = " ".join(statement.split())[:120]
                remedy = f"{error.remedy}; then the same call again: what was done is left as it is"
                raise type(error)(f"{step.number}: {head}: {error.message}", remedy=remedy) from None
            done += 1
        report(
            f"{step.number}: done ({len(step.statements) - len(held)} statements, {len(held)} privileges held already)"
        )
    return done


def _held_statements(account: Account, step: Step, ask: Ask) -> set[str]:
    """Statements of a step that grant what is granted already."""
    grants = {str(grant.sql): grant for grant in account.grants if str(grant.sql) in step.statements}
    lacking: set[str] = set()
    for role in {grant.role for grant in grants.values()}:
        wanted = [grant for grant in grants.values() if grant.role == role]
        findings = [finding for finding in check_grants(role, wanted, ask) if not finding.is_fine]
        lacking |= {finding.remedy.removesuffix(";") for finding in findings}
        if any(finding.remedy.startswith("cannot be seen") for finding in findings):
            lacking |= {str(grant.sql) for grant in wanted}
    return set(grants) - lacking


def _is_published(account: Account, ask: Ask) -> bool:
    try:
        rows = ask(f"show schemas in database {name(account.published)}")
    except ConfigError:
        return False
    return {schema.upper() for schema in PUBLISHED} <= {str(row["name"]) for row in rows}

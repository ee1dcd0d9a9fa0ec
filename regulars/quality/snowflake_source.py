"""Great Expectations' own data source for Snowflake, with the sessions' access; rules are computed inside Snowflake."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from regulars.warehouse.snowflake_session import SnowflakeSessions

ELSEWHERE = (
    "given-apart"  # the URL wants a password and a role, and is shown in messages: what counts is given beside it
)


def add_snowflake(sessions: SnowflakeSessions, context: Any) -> Any:
    """The data source in a context of Great Expectations. No secret is part of its connection string."""
    arguments = sessions.connect_arguments()
    user, account = quote(arguments.get("user") or ELSEWHERE, safe=""), arguments["account"]
    warehouse, role = (arguments.get(name) or ELSEWHERE for name in ("warehouse", "role"))
    url = f"snowflake://{user}:{ELSEWHERE}@{account}/{arguments['database']}/{arguments['schema']}"
    # SQLAlchemy's dialect has its own ways with parameters and transactions.
    given = {name: value for name, value in arguments.items() if name not in ("paramstyle", "autocommit")}
    return context.data_sources.add_snowflake(
        "warehouse",
        connection_string=f"{url}?warehouse={warehouse}&role={role}",
        kwargs={"connect_args": {"role": None, "warehouse": None, "password": None, **given}},
    )

"""Great Expectations' own data source for SQL, over the operational store; rules are computed inside PostgreSQL."""

from __future__ import annotations

from typing import Any

from psycopg.conninfo import conninfo_to_dict

from regulars.postgres.store import CONNECT_SECONDS, store_url
from regulars.settings import Settings


def add_store(settings: Settings, context: Any) -> Any:
    """The data source in a context of Great Expectations. Nothing of the store's address is part of its connection string."""
    arguments = {**conninfo_to_dict(store_url(settings)), "connect_timeout": CONNECT_SECONDS}
    return context.data_sources.add_sql(
        "store", connection_string="postgresql+psycopg://", kwargs={"connect_args": arguments}
    )

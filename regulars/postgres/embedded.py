"""`url: embedded:<database>` in sources.yml: a database of this home's embedded PostgreSQL."""

from __future__ import annotations

from regulars.postgres.server import start_server
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources

PREFIX = "embedded:"


def with_embedded(sources: Sources, settings: Settings) -> Sources:
    """The same sources with real URLs in place of `embedded:` ones; starts the server where one is named."""
    named = {
        name: connection
        for name, connection in sources.connections.items()
        if (connection.url or "").startswith(PREFIX)
    }
    if not named:
        return sources
    server = start_server(settings.home_dir)
    urls: dict[str, Connection] = {
        name: connection.model_copy(update={"url": server.ensure_database((connection.url or "").removeprefix(PREFIX))})
        for name, connection in named.items()
    }
    return sources.model_copy(update={"connections": {**sources.connections, **urls}})

"""Addresses in sources.yml that this installation knows by itself.

`url: embedded:<database>` is a database of the home's embedded PostgreSQL, `url: operational:` the operational store,
`path: home:<folder>` a folder of the home.
"""

from __future__ import annotations

from typing import Any

from regulars.postgres.server import start_server
from regulars.postgres.store import store_url
from regulars.settings import Settings
from regulars.sources.config import Connection, Sources

EMBEDDED, STORE, HOME = "embedded:", "operational:", "home:"


def with_own_addresses(sources: Sources, settings: Settings, needed: set[str] | None = None) -> Sources:
    """The same sources with plain URLs and paths in place of these, for the connections that tables and sheets of `needed`
    name (None: for all). Starts the embedded server where one of them lives in it."""
    used = set(sources.connections) if needed is None else sources.connections_used(needed)
    found = {
        name: connection.model_copy(update=_plain(connection, settings))
        for name, connection in sources.connections.items()
        if name in used
    }
    return sources.model_copy(update={"connections": {**sources.connections, **found}})


def reads_store(sources: Sources, needed: set[str]) -> bool:
    """Whether a table or sheet of `needed` is read from the operational store."""
    return any(sources.connections[name].url == STORE for name in sources.connections_used(needed))


def _plain(connection: Connection, settings: Settings) -> dict[str, Any]:
    url, path = connection.url or "", connection.path or ""
    if url.startswith(EMBEDDED):
        return {"url": start_server(settings.home_dir).ensure_database(url.removeprefix(EMBEDDED))}
    if url == STORE:
        return {"url": store_url(settings)}
    if path.startswith(HOME):
        return {"path": str(settings.home_dir / path.removeprefix(HOME))}
    return {}

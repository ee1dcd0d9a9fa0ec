"""One moment for all tables of a database: connections with `options: {one_snapshot: true}` are read in one snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from regulars.sources.postgres_session import shared_snapshot, with_snapshot
from regulars.sources.sql_address import address_of
from tasks.context import RunContext


@contextmanager
def shared_snapshots(context: RunContext) -> Iterator[None]:
    """Hold the snapshots while the body lands; the sources of `context` name them meanwhile."""
    before = context.sources
    used = {before.tables[table].connection for table in context.tables}
    with ExitStack() as held:
        for name in sorted(used):
            connection = before.connections[name]
            if connection.options.get("one_snapshot"):
                if connection.kind == "sql":
                    address_of(name, connection)  # refuses engines that lend none
                context.sources = with_snapshot(context.sources, name, held.enter_context(shared_snapshot(connection)))
        try:
            yield
        finally:
            context.sources = before

"""The state of a PostgreSQL table that carries a digest of every row: how many rows there are, and the sum of their digests."""

from __future__ import annotations

import duckdb

from regulars.engine import quote
from regulars.sources.base import Request

ROW_DIGEST = "row_digest"


def has_state(request: Request) -> bool:
    return bool(request.source.table) and ROW_DIGEST in request.contract.by_name


def read_state(engine: duckdb.DuckDBPyConnection, database: str, relation: str) -> str:
    """`<rows>:<sum>@<file>` in the snapshot of `engine`: the file changes whenever PostgreSQL writes the table anew."""
    query = (
        f"select count(*)::text || ':' || coalesce(sum({ROW_DIGEST}), 0)::text || '@' || "
        f"coalesce(pg_relation_filenode({quote(relation)}::regclass), 0)::text from {relation}"
    )
    workers = f"call postgres_execute('{database}', 'set local max_parallel_workers_per_gather = {{}}')".format
    engine.execute(workers(2))  # sums have no order to keep
    found = engine.execute(f"select * from postgres_query('{database}', {quote(query)})").fetchone()
    engine.execute(workers(0))
    return str(found[0]) if found else ""

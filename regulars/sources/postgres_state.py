"""The state of a PostgreSQL table that carries a digest of every row: how many rows there are, and the sum of their digests."""

from __future__ import annotations

from typing import Any

import psycopg

from regulars.engine import quote
from regulars.sources.base import Request

ROW_DIGEST = "row_digest"


def has_state(request: Request) -> bool:
    return bool(request.source.table) and ROW_DIGEST in request.contract.by_name


def read_state(session: psycopg.Connection[Any], relation: str) -> str:
    """`<rows>:<sum>@<file>` in the snapshot of a session: the file changes whenever PostgreSQL writes the table anew."""
    session.execute("set local max_parallel_workers_per_gather = 2")  # sums have no order to keep
    query = (
        f"select count(*)::text || ':' || coalesce(sum({ROW_DIGEST}), 0)::text || '@' || "
        f"coalesce(pg_relation_filenode({quote(relation)}::regclass), 0)::text from {relation}"
    )
    [[state]] = session.execute(query.encode()).fetchall()
    return str(state)

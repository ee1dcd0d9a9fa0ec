"""Page ranges of a PostgreSQL table, which are read side by side and give the same parts whatever the timing."""

from __future__ import annotations

from typing import Any

import psycopg

from regulars.engine import quote

LEAST_PAGES = 2048  # 16 MB at the usual page size
SHARE = 8
LEAST_OF_TRANSFER, SHARE_OF_TRANSFER = 512, 32  # finer, because a kill costs the pieces under way
LEAST_VERSION = 140_000  # before PostgreSQL 14 a range of pages is found by reading the whole table


def page_ranges(pages: int, least: int = LEAST_PAGES, share: int = SHARE) -> list[tuple[int, int]]:
    """Half-open ranges that cover `pages` pages: each a share (1 / `share`) of what lies before it, and at least `least` pages.

    Where a range begins and ends does not depend on the size of the table, so the rows of a range stay the same when
    pages are added behind it; and a table of a thousand times the size has some seven times `share` ranges more.
    """
    ranges, start = [], 0
    while start < pages:
        end = start + max(start // share // least, 1) * least
        ranges.append((start, end))
        start = end
    return ranges


def range_condition(first: int, end: int) -> str:
    return f"source.ctid >= '({first},0)'::tid and source.ctid < '({end},0)'::tid"


def size_query(relation: str) -> str:
    """SQL for the number of pages of a table, as they are now, in no snapshot."""
    return f"select pg_relation_size({quote(relation)}::regclass) / current_setting('block_size')::bigint as pages"


def scanned_pages(session: psycopg.Connection[Any], relation: str, query: str) -> int:
    """Pages of the table where PostgreSQL would answer `query` by reading all of it in page order; otherwise 0.

    0 for a view, a foreign or partitioned table, one that others inherit from, an index scan, and an old server.
    """
    if session.info.server_version < LEAST_VERSION:
        return 0
    kind = session.execute("select relkind::text from pg_class where oid = to_regclass(%s)", [relation]).fetchone()
    if kind not in (("r",), ("m",)):
        return 0
    plan = session.execute(f"explain (format json) {query}".encode()).fetchone()
    if plan is None or plan[0][0]["Plan"]["Node Type"] != "Seq Scan":
        return 0
    size = session.execute(size_query(relation).encode()).fetchone()
    return int(size[0]) if size else 0

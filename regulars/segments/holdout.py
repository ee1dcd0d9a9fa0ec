"""The hold-out: members of a segment that no delivery holds, chosen by a keyed hash, and the record of whom it chose.

The record (`ops.holdouts`, `ops.holdout_members`) is what models may know of it: the key reaches no SQL text.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from regulars.errors import ConfigError
from regulars.segments.config import MEMBER, SegmentDefinition
from regulars.segments.unload import Dialect, Unloader


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """Inner and outer pad of HMAC-SHA256 (RFC 2104): 64 bytes each."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


@contextmanager
def key_in_session(engine: Unloader, sql: Dialect, key: bytes) -> Iterator[None]:
    """Let SQL use the key of pseudonyms without naming it."""
    sql.hold_key(engine, *hmac_pads(key))
    try:
        yield
    finally:
        sql.drop_key(engine)


def holdout_threshold(pct: float) -> str:
    """Members whose hash begins below these 8 hex digits are held out; a larger share holds out the same and more."""
    return f"{int(pct / 100 * 2**32):08x}"


def is_held_out(key: bytes, segment: str, user_id: str, pct: float) -> bool:
    """The rule of the hold-out for one member, as the SQL applies it to all."""
    digest = hmac.new(key, f"holdout:{segment}:{user_id}".encode(), hashlib.sha256).hexdigest()
    return digest[:8] < holdout_threshold(pct)


def held_out_sql(segment: SegmentDefinition, member: str, sql: Dialect) -> str:
    """The same as a condition on the column `member`, with the key in the session."""
    digest = sql.keyed_hash(f"'holdout:{segment.name}:' || {member}")
    return f"substr({digest}, 1, 8) < '{holdout_threshold(segment.delivery.holdout_pct)}'"


def record_holdouts(
    segments: Sequence[SegmentDefinition], *, engine: Unloader, sql: Dialect, key: bytes, as_of: date, newest_day: date
) -> None:
    """Record of each segment whom its hold-out chooses, of everybody in history, and the first day it was in force.

    Whom it chooses is a function of history, key and share. The day is the earliest one delivered under the share, in
    whatever order days are run; a share that was changed holds from `newest_day` on, the newest landed one. Raises
    ConfigError where there is no history yet.
    """
    if not engine.query(sql.columns(), ["marts", "loyalty_history"]):
        raise ConfigError(
            "marts.loyalty_history does not exist in the warehouse", remedy="build the loyalty marts first"
        )
    with key_in_session(engine, sql, key), engine.transaction():
        for segment in segments:
            _record(segment, engine, sql, as_of, newest_day)


def _record(segment: SegmentDefinition, engine: Unloader, sql: Dialect, as_of: date, newest_day: date) -> None:
    share = f"cast({segment.delivery.holdout_pct:.6f} as decimal(9, 6))"
    known = engine.query(f"select since, holdout_pct = {share} from ops.holdouts where segment = ?", [segment.name])
    since = as_of
    for recorded, is_same in known:
        since = min(recorded, as_of) if is_same else max(newest_day, as_of)
    for table in ("holdouts", "holdout_members"):
        engine.execute(f"delete from ops.{table} where segment = ?", [segment.name])
    engine.execute(
        f"insert into ops.holdouts (segment, holdout_pct, since) select ?, {share}, date '{since}'", [segment.name]
    )
    if segment.delivery.holdout_pct:
        engine.execute(
            f"insert into ops.holdout_members (segment, {MEMBER}) select '{segment.name}', {MEMBER} from "
            f"(select distinct {MEMBER} from marts.loyalty_history) as users where {held_out_sql(segment, MEMBER, sql)}"
        )

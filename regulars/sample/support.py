"""Contacts with customer support (DW-B): calls, chats, help pages, second contacts; at most one a day and user."""

from __future__ import annotations

from collections.abc import Callable

from regulars.sample import words
from regulars.sample.activity import delivered, event_id, moment
from regulars.sample.draws import Draws
from regulars.sample.spec import SampleSpec
from regulars.sample.users import users_on

RATINGS = (("1", 0.06), ("2", 0.08), ("3", 0.16), ("4", 0.32), ("5", 0.38))


def support_calls(spec: SampleSpec, day: int) -> str:
    """SELECT of the calls that reach the source on the day."""
    draws = Draws(spec)

    def columns(on: int) -> str:
        return f"""
    {event_id("C", spec, on, "u")} as call_id, user_id, {moment(spec, on, draws, "u", "call time", on)} as started_at,
    cast(20 + cast(floor(1500 * pow({draws.unit("u", "call length", on)}, 3)) as bigint) as varchar)
        as duration_seconds,
    {draws.pick(words.CALL_TOPICS, "u", "topic", on)} as topic,
    case when {draws.below(0.72, "u", "resolved", on)} then 'true' else 'false' end as is_resolved,
    case when {draws.below(0.4, "u", "note", on)} then {draws.pick(words.AGENT_NOTES, "u", "note text", on)} end
        as agent_notes"""

    return _contacts(spec, day, "support_calls", 0.010, columns)


def support_chats(spec: SampleSpec, day: int) -> str:
    """SELECT of the chats that reach the source on the day."""
    draws = Draws(spec)

    def columns(on: int) -> str:
        return f"""
    {event_id("H", spec, on, "u")} as chat_id, user_id, {moment(spec, on, draws, "u", "chat time", on)} as started_at,
    cast(2 + {draws.number(30, "u", "messages", on)} as varchar) as message_count,
    case when {draws.below(0.55, "u", "rated", on)} then {draws.weighted(RATINGS, "u", "satisfaction", on)} end
        as satisfaction_rating"""

    return _contacts(spec, day, "support_chats", 0.014, columns)


def product_support_usage(spec: SampleSpec, day: int) -> str:
    """SELECT of the help pages read whose record reaches the source on the day."""
    draws = Draws(spec)

    def columns(on: int) -> str:
        return f"""
    {event_id("V", spec, on, "u")} as usage_id, user_id, {moment(spec, on, draws, "u", "view time", on)} as viewed_at,
    {draws.weighted((("help_article", 0.65), ("faq", 0.35)), "u", "content", on)} as content_type,
    'doc-' || (1 + {draws.number(240, "u", "content id", on)}) as content_id,
    cast(5 + {draws.number(400, "u", "reading", on)} as varchar) as reading_seconds"""

    return _contacts(spec, day, "product_support_usage", 0.045, columns)


def repeat_engagements(spec: SampleSpec, day: int) -> str:
    """SELECT of second contacts that reach the source on the day."""
    draws = Draws(spec)

    def columns(on: int) -> str:
        return f"""
    {event_id("E", spec, on, "u")} as engagement_id, user_id,
    {moment(spec, on, draws, "u", "engaged time", on)} as engaged_at,
    {draws.weighted((("campaign", 0.5), ("community", 0.3), ("event", 0.2)), "u", "engagement", on)} as engagement_type,
    {draws.weighted((("email", 0.4), ("app", 0.4), ("web", 0.2)), "u", "engaged via", on)} as channel"""

    return _contacts(spec, day, "repeat_engagements", 0.025, columns)


def _contacts(spec: SampleSpec, day: int, table: str, rate: float, columns: Callable[[int], str]) -> str:
    draws = Draws(spec)

    def events(on: int, chosen: str) -> str:
        happened = draws.below(rate, "u", table, on)
        return f"select {columns(on)}\nfrom ({users_on(spec, on)}) where {happened} and not is_reserved and {chosen}"

    return delivered(spec, day, events)

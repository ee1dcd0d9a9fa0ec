"""What users do: logins, purchases, feedback, scores, product features, and the work made to keep them (DW-A)."""

from __future__ import annotations

import math
from collections.abc import Callable

from regulars.sample import words
from regulars.sample.draws import Draws, by_share, sql_list
from regulars.sample.spec import SampleSpec, micros_at
from regulars.sample.users import users_on

WEEKDAYS = (0.95, 0.92, 0.94, 0.98, 1.12, 1.20, 0.89)  # Monday first
LATENESS = ((0, 0.99), (1, 0.005), (2, 0.003), (3, 0.002))  # days after which a user-day of events reaches the source
SCORES_BEFORE = 3  # days of scores that the first delivery brings along


def season(spec: SampleSpec, day: int) -> float:
    """Factor of the day: 1 on average; stronger at weekends and in December."""
    date = spec.day_at(day)
    yearly = 1 + 0.2 * math.cos(2 * math.pi * (date.timetuple().tm_yday - 350) / 365.25)
    return round(WEEKDAYS[date.weekday()] * yearly, 6)


def delivered(spec: SampleSpec, day: int, events: Callable[[int, str], str]) -> str:
    """Events that reach the source on the day: its own, and those of up to three days before that were held up.

    `events(event_day, filter)` gives the SELECT of one event day for the users that pass the filter. A device that was
    offline delivers all events of its user and day late, so that lateness is drawn once for each user and day.
    """
    draws = Draws(spec)
    parts, reached = [], 0.0
    for days_late, share in LATENESS:
        low, high = reached, reached + share
        reached = high
        if day - days_late < 0:
            continue
        unit = draws.unit("u", "lateness", day - days_late)
        on_time = f"(is_reserved or {unit} < {high})"
        late = f"(not is_reserved and {unit} >= {low} and {unit} < {high})"
        parts.append(events(day - days_late, late if days_late else on_time))
    return "\nunion all\n".join(f"select * from ({part})" for part in parts)


def moment(spec: SampleSpec, day: int, draws: Draws, key: str, *names: str | int) -> str:
    """SQL for a timestamp (as text) within the day, most likely around noon."""
    seconds = f"cast(floor(43200 * ({draws.unit(key, *names, 'a')} + {draws.unit(key, *names, 'b')})) as bigint)"
    return f"cast(make_timestamp({micros_at(spec.day_at(day))} + {seconds} * 1000000) as varchar)"


def event_id(prefix: str, spec: SampleSpec, day: int, key: str) -> str:
    return f"'{prefix}{spec.day_at(day):%Y%m%d}-' || {key}"


def user_activity(spec: SampleSpec, day: int) -> str:
    """SELECT of the activity that reaches the source on the day. Rates are Pareto-like: few users do most."""
    draws = Draws(spec)

    def events(on: int, chosen: str) -> str:
        rate = "least(12, 0.25 * pow(1.0005 - p, -0.7))"
        share = draws.unit("k", "type", on)
        cents = f"cast(floor(500 + 40000 * pow({draws.unit('k', 'amount', on)}, 4)) as bigint)"
        return f"""
select
    {event_id("A", spec, on, "k")} as activity_id, user_id, activity_type,
    {moment(spec, on, draws, "k", "time", on)} as occurred_at,
    {draws.weighted((("web", 0.45), ("app", 0.45), ("store", 0.10)), "k", "channel", on)} as channel,
    case when activity_type = 'purchase' then cast(cast({cents} / 100 as decimal(12, 2)) as varchar) end
        as purchase_amount,
    case when activity_type = 'purchase' then 'EUR' end as currency_code,
    case when activity_type = 'feedback'
        then {draws.weighted((("1", 0.07), ("2", 0.08), ("3", 0.17), ("4", 0.33), ("5", 0.35)), "k", "rating", on)}
        end as feedback_rating,
    case when activity_type = 'feedback' then {draws.pick(words.PRAISE, "k", "text", on)} end as feedback_text
from (
    select *, {by_share(share, (("login", 0.70), ("purchase", 0.24), ("feedback", 0.06)))} as activity_type
    from (
        select user_id, u * 16 + unnest(range(events)) as k
        from (
            select *, cast(floor({rate} * {season(spec, on)} + {draws.unit("u", "events", on)}) as bigint) as events
            from ({users_on(spec, on)}) where {chosen}
        )
        where events > 0 and not is_reserved
    )
)"""

    return delivered(spec, day, events)


def engagement_score(spec: SampleSpec, day: int) -> str:
    """SELECT of scores of the day; each user is scored once a week. The first day brings those of three days before."""
    draws = Draws(spec)

    def scores(on: int) -> str:
        week = (spec.day_at(on) - spec.day_at(0)).days // 7
        score = f"100 * (0.6 * p + 0.25 * {draws.unit('u', 'taste')} + 0.15 * {draws.unit('u', 'week', week)})"
        return f"""
select user_id, '{spec.day_at(on)}' as scored_on, cast(cast({score} as decimal(5, 2)) as varchar) as engagement_score,
    'v3.{week % 4}' as model_version
from ({users_on(spec, on)}) where (u + {on + 7000}) % 7 = 0 and not is_reserved"""

    days = range(-SCORES_BEFORE, 1) if day == 0 else [day]
    return "\nunion all\n".join(f"select * from ({scores(on)})" for on in days)


def feature_adoption(spec: SampleSpec, day: int) -> str:
    """SELECT of the (user, feature) rows used on the day. A pair is used every `every` days from its adoption on.

    The share of users that adopted a feature grows with the days; eager users adopt more and use more often.
    """
    draws = Draws(spec)
    modules, features, shares = zip(*words.FEATURES, strict=True)
    time_of_day = f"{draws.number(86400, 'k', 'feature time')} * 1000000"
    start = micros_at(spec.start)
    return f"""
select
    user_id, {sql_list(modules)}[f + 1] as module, {sql_list(features)}[f + 1] as feature,
    cast(make_timestamp({start} + first_on * 86400000000 + {time_of_day}) as varchar) as first_used_at,
    cast(make_timestamp({start} + {day} * 86400000000 + {time_of_day}) as varchar) as last_used_at,
    cast(({day} - first_on) // every + 1 as varchar) as usage_count
from (
    select *, adopted + (every - (adopted + phase + every * 400) % every) % every as first_on
    from (
        select
            *, cast(ceil((ease - 0.5) * 400) as bigint) as eager_on,
            greatest(case when joined > 0 then joined else -400 end, eager_on) as adopted
        from (
            select
                *, u * 32 + f as k, 3 + {draws.number(18, "u * 32 + f", "feature every")} as every,
                {draws.number(21, "u * 32 + f", "feature phase")} as phase,
                {draws.unit("u * 32 + f", "feature ease")} / ({list(shares)}[f + 1] * (0.3 + 0.7 * p)) as ease
            from (
                select *, unnest(range({len(words.FEATURES)})) as f
                from ({users_on(spec, day)}) where not is_reserved
            )
        )
        where ({day} + phase) % every = 0 and ease <= 0.5 + {day} / 400e0
    )
)
where first_on <= {day}"""


def retention_action(spec: SampleSpec, day: int) -> str:
    """SELECT of interventions of the day, made for the users with the lowest scores."""
    draws = Draws(spec)
    actions = (("email", 0.40), ("call", 0.20), ("discount", 0.20), ("bonus_points", 0.12), ("campaign", 0.08))
    outcomes = (("pending", 0.35), ("no_response", 0.35), ("accepted", 0.20), ("declined", 0.10))

    def events(on: int, chosen: str) -> str:
        return f"""
select
    {event_id("R", spec, on, "u")} as action_id, user_id, {draws.weighted(actions, "u", "action", on)} as action_type,
    {moment(spec, on, draws, "u", "action time", on)} as acted_at,
    {draws.weighted(outcomes, "u", "outcome", on)} as outcome,
    case when {draws.below(0.3, "u", "note", on)} then {draws.pick(words.RETENTION_NOTES, "u", "note text", on)} end
        as notes
from ({users_on(spec, on)})
where p < 0.22 and not is_reserved and {draws.below(0.03, "u", "retention", on)} and {chosen}"""

    return delivered(spec, day, events)

"""Tickets and service requests (DW-B), which are opened and then change their state for some days.

Each user opens them on a period of their own, so that the age of the open one on any day is a remainder; states change
at ages drawn for each case.
"""

from __future__ import annotations

from regulars.sample import words
from regulars.sample.draws import Draws
from regulars.sample.spec import SampleSpec, micros_at
from regulars.sample.users import users_on

OLDEST = 15  # days after which a case has reached its last state
PRIORITIES = (("normal", 0.6), ("low", 0.2), ("high", 0.15), ("urgent", 0.05))


def issue_tickets(spec: SampleSpec, day: int) -> str:
    """SELECT of the tickets opened or changed on the day, in the state of its evening. About 4 % are withdrawn."""
    draws = Draws(spec)
    status = f"""case
        when age = 0 then 'open'
        when {draws.below(0.04, "t", "withdrawn")} then case when age = 1 then 'deleted' end
        when age = pending_at then 'pending'
        when age = resolved_at then 'resolved'
        when age = closed_at then 'closed' end"""
    return f"""
select
    'T' || t as ticket_id, user_id, {_opened(spec, day)} as opened_at, {_changed(spec, day)} as updated_at, status,
    {draws.weighted(PRIORITIES, "t", "priority")} as priority,
    {draws.pick(words.TICKET_CATEGORIES, "t", "category")} as category
from (
    select *, {status} as status
    from (
        select
            *, 1 + {draws.number(3, "t", "pending")} as pending_at,
            pending_at + 1 + {draws.number(6, "t", "resolved")} as resolved_at,
            pending_at + 8 + {draws.number(5, "t", "closed")} as closed_at
        from ({_open_cases(spec, day, "ticket", 60, 240)})
    )
)
where status is not null"""


def service_requests(spec: SampleSpec, day: int) -> str:
    """SELECT of the service requests opened or changed on the day, in the state of its evening."""
    draws = Draws(spec)
    status = f"""case
        when age = 0 then 'open'
        when age = started_at then 'in_progress'
        when age = ended_at then case when {draws.below(0.85, "t", "done")} then 'done' else 'cancelled' end end"""
    return f"""
select
    'S' || t as request_id, user_id, {_opened(spec, day)} as requested_at, {_changed(spec, day)} as updated_at,
    {draws.pick(words.SERVICE_TYPES, "t", "service")} as request_type, status
from (
    select *, {status} as status
    from (
        select
            *, 1 + {draws.number(2, "t", "started")} as started_at,
            started_at + 1 + {draws.number(8, "t", "ended")} as ended_at
        from ({_open_cases(spec, day, "request", 80, 300)})
    )
)
where status is not null"""


def _open_cases(spec: SampleSpec, day: int, kind: str, shortest: int, spread: int) -> str:
    """Users with a case of at most `OLDEST` days: its number t and its age. The first days know cases from before."""
    draws = Draws(spec)
    return f"""
select user_id, age, u * 64 + (({day} + phase) // period) % 64 as t
from (
    select *, ({day} + phase) % period as age
    from (
        select
            *, {shortest} + {draws.number(spread, "u", kind, "period")} as period,
            {draws.number(1000, "u", kind, "phase")} as phase
        from ({users_on(spec, day)})
    )
)
where age <= {OLDEST} and (joined = 0 or {day} - age >= joined) and not is_reserved"""


def _opened(spec: SampleSpec, day: int) -> str:
    seconds = Draws(spec).number(40000, "t", "opened time")
    return f"cast(make_timestamp({micros_at(spec.day_at(day))} - age * 86400000000 + {seconds} * 1000000) as varchar)"


def _changed(spec: SampleSpec, day: int) -> str:
    draws = Draws(spec)
    opened, changed = draws.number(40000, "t", "opened time"), draws.number(46000, "t", "changed", day)
    seconds = f"case when age = 0 then {opened} else 40000 + {changed} end"
    return f"cast(make_timestamp({micros_at(spec.day_at(day))} + {seconds} * 1000000) as varchar)"

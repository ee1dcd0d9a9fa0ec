"""Rows of the sheet as people type them: one meaning in many spellings, all of which can be read without asking."""

from __future__ import annotations

from regulars.sample import words
from regulars.sample.draws import Draws, by_share, literal, sql_list
from regulars.sample.engagement.spec import EngagementSpec

# Header of the sheet by column of the contract, in the sheet's order.
HEADER = {
    "client_id": "Client ID", "client_name": "Client Name", "project_code": "Project Code", "period_starts_on": "Month",
    "engagement_level": "Engagement Level", "status": "Status", "channel": "Channel", "session_count": "Sessions",
    "spend_amount": "Spend", "last_contact_on": "Last Contact",
}  # fmt: skip
# Projects that were open all the time (dbt/warehouse/seeds/reference/dim_project.csv has the others too).
CLOSED_OR_NEW = {6, 13, 22, 29, 31, 34, 35, 36}
PROJECTS = tuple(f"P-{number:03d}" for number in range(1, 37) if number not in CLOSED_OR_NEW)
LEVELS = {
    "none": ("none", "None", "-"), "low": ("low", "Low", "lo", "LOW "), "medium": ("medium", "Medium", "med", "Mid"),
    "high": ("high", "High", "HIGH", " hi"),
}  # fmt: skip
STATUSES = {
    "prospect": ("prospect", "Prospect"), "onboarding": ("onboarding", "Onboarding", "ONBOARDING"),
    "active": ("active", "Active", "ACTIVE ", "active"), "paused": ("paused", "Paused"), "lapsed": ("lapsed", "Lapsed"),
}  # fmt: skip
CHANNELS = {
    "email": ("email", "Email", "mail"), "phone": ("phone", "Phone", "tel"), "video call": ("video call", "Video  Call", "VC"),
    "on site": ("on site", "On Site"), "portal": ("portal", "Portal"),
}  # fmt: skip
COUNTS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
FIRMS = ("& Co", "GmbH", "Ltd", "Partners", "S.A.")
PAIRS = 2  # projects of a client at most


def usual_rows(spec: EngagementSpec) -> str:
    """SELECT of the rows without faults, text columns under the names of the contract, in the order of the sheet."""
    draws = Draws(spec)
    pair, key = f"(c * {PAIRS} + p)", f"((c * {PAIRS} + p) * 64 + back)"
    sessions = f"(1 + {draws.number(18, key, 'sessions')})"
    spend = f"(10 + {draws.number(1600, key, 'spend')} + {draws.number(100, key, 'cents')} / 100)"
    first = literal(str(spec.month(spec.months - 1)))
    return f"""
select
    'C' || lpad(cast(c + 1 as varchar), 4, '0') as client_id,
    {draws.pick(words.LAST_NAMES, "c", "name")} || ' ' || {draws.pick(FIRMS, "c", "firm")} as client_name,
    {sql_list(PROJECTS)}[1 + ({draws.number(len(PROJECTS), "c", "project")} + p * 7) % {len(PROJECTS)}] as project_code,
    {_month(draws, key)} as period_starts_on,
    {_spelt(draws, LEVELS, f"({draws.unit(pair, 'tendency')} + {draws.unit(key, 'level')}) / 2", key)} as engagement_level,
    {_spelt(draws, STATUSES, draws.unit(key, "status"), key, (0.03, 0.06, 0.83, 0.05, 0.03))} as status,
    {_spelt(draws, CHANNELS, draws.unit(key, "channel"), key)} as channel,
    case
        when {draws.below(0.03, key, "in words")} and {sessions} <= 12 then {sql_list(COUNTS)}[1 + {sessions}]
        when {draws.below(0.04, key, "not told")} then 'n/a'
        else cast({sessions} as varchar)
    end as session_count,
    {by_share(draws.unit(key, "money"), (("plain", 0.75), ("grouped", 0.15), ("euro", 0.07), ("nothing", 0.03)))} as money,
    case money
        when 'plain' then format('{{:.2f}}', {spend})
        when 'grouped' then format('{{:,.2f}}', {spend})
        when 'euro' then '€ ' || format('{{:,.2f}}', {spend})
    end as spend_amount,
    {_day(draws, key)} as last_contact_on
from (
    select
        c, p, back, cast(date {first} + to_months(cast({spec.months - 1} - back as integer)) as date) as month
    from range({spec.clients}) as clients(c), range({PAIRS}) as pairs(p), range({spec.months}) as months(back)
    where (p = 0 or {draws.below(0.4, "c", "second")})
        and back >= {draws.number(spec.months // 3, pair, "until")}
        and back < {draws.number(spec.months // 3, pair, "until")} + 3 + {draws.number(spec.months // 2, pair, "length")}
        and {draws.below(0.9, key, "told")}
)
order by back desc, c, p"""


def _spelt(
    draws: Draws, spellings: dict[str, tuple[str, ...]], unit: str, key: str, weights: tuple[float, ...] = ()
) -> str:
    """One of the meanings by `unit` (0 to 1), in one of its spellings."""
    shares = weights or tuple(1 / len(spellings) for _ in spellings)
    cases, reached = [], 0.0
    for (meaning, forms), share in zip(spellings.items(), shares, strict=True):
        reached += share
        cases.append(f"when {unit} < {reached:.9f} then {draws.pick(forms, key, 'spelt', meaning)}")
    return f"case {' '.join(cases)} else {literal(next(reversed(spellings)))} end"


def _month(draws: Draws, key: str) -> str:
    form = draws.unit(key, "form of month")
    return (
        f"case when {form} < 0.7 then strftime(month, '%Y-%m') when {form} < 0.9 then strftime(month, '%b %Y') "
        "else strftime(month, '%m/%Y') end"
    )


def _day(draws: Draws, key: str) -> str:
    """A day of the month in one of three forms; in a tenth of the rows nobody noted it."""
    day, form = f"(month + cast({draws.number(28, key, 'contact')} as integer))", draws.unit(key, "form of day")
    return (
        f"case when {draws.below(0.1, key, 'no contact')} then null when {form} < 0.8 then strftime({day}, '%Y-%m-%d') "
        f"when {form} < 0.92 then strftime({day}, '%d/%m/%Y') else strftime({day}, '%d.%m.%Y') end"
    )

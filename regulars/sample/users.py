"""Users, their profiles and regions: who exists on a day, how active they are, and what their profile says.

Everything about a user on a day is a closed formula of (seed, user, day), so that any day can be made alone. A profile
changes on the days on which (day + phase) is a multiple of the user's period, and each change touches one of six things
in turn; the periods are such that about 1 % of profiles change on a day.
"""

from __future__ import annotations

from regulars.sample import words
from regulars.sample.draws import Draws, by_share, literal
from regulars.sample.spec import RESERVED, SampleSpec, micros_at

LEAVING = 0.0008  # share of users that leaves on a day
RETURNING = 0.4  # share of those who leave that comes back, after 2 to 61 days
CHANGE_PERIODS = (50, 50, 50, 100, 100, 100, 100, 200, 200, 400)


def users_on(spec: SampleSpec, day: int, first: int = 1) -> str:
    """SELECT of the users, from number `first` on, that exist on the day of that index.

    Columns: u (number), user_id, joined (day index, 0 for the first users), p (activity rank, 0 = least, 1 = most
    active), is_reserved.
    """
    draws = Draws(spec)
    last = spec.users + max(day, 0) * spec.joins_per_day
    gone_after = f"cast(floor(ln(1 - {draws.unit('u', 'leaving')}) / ln(1 - {LEAVING})) as bigint)"
    returns = draws.below(RETURNING, "u", "returning")
    away = f"case when {returns} then 2 + {draws.number(60, 'u', 'away')} else 1000000 end"
    joined = f"case when range <= {spec.users} then 0 else (range - {spec.users + 1}) // {spec.joins_per_day} + 1 end"
    return f"""
select u, 'U' || lpad(cast(u as varchar), 8, '0') as user_id, joined, p, is_reserved
from (
    select *, joined + 1 + {gone_after} as left_on
    from (
        select
            range as u,
            {joined} as joined,
            range between {spec.users - RESERVED + 1} and {spec.users} as is_reserved,
            1 - {draws.unit("range", "activity")} as p
        from range({first}, {last + 1})
    )
)
where is_reserved or {day} < left_on or {day} >= left_on + {away}"""


def user_profile(spec: SampleSpec, day: int, first: int = 1) -> str:
    """SELECT of user_profile as it stands on the evening of the day: the whole table."""
    draws = Draws(spec)
    start = micros_at(spec.start)

    def changes(part: int) -> str:
        return f"((v + turn + {6 - part}) // 6)"

    def key(part: int) -> str:
        return f"u * 16 + {changes(part)} % 16"

    given, family = draws.pick(words.FIRST_NAMES, "u", "first"), draws.pick(words.LAST_NAMES, "u", "last")
    tenure = f"1 + cast(floor(2000 * pow({draws.unit('u', 'tenure')}, 1.5)) as bigint)"
    sign_up = f"case when joined > 0 then joined else -({tenure}) end"
    digits = f"lpad(cast({draws.number(10**7, key(4), 'phone')} as varchar), 7, '0')"
    genders = (("female", 0.46), ("male", 0.44), ("other", 0.02), ("undisclosed", 0.08))
    states = (("active", 0.93), ("suspended", 0.04), ("closed", 0.03))
    regions = [(code, share) for code, _, _, share, _, _ in words.REGIONS]
    rank = f"(0.5 * p + 0.5 * {draws.unit(key(0), 'tier')})"
    return f"""
select
    user_id,
    case
        when {draws.below(0.02, "u", "no mail")} then null
        when {draws.below(0.05, "u", "odd mail")}
            then ' ' || upper(name_first) || '.' || name_last || u || '@' || domain
        else lower(name_first) || '.' || lower(name_last) || u || '@' || domain
    end as email,
    name_first || ' ' || name_last as full_name,
    case {draws.number(10, "u", "phone form")}
        when 0 then null
        when 1 then '+999 ' || substr(digits, 1, 3) || '-' || substr(digits, 4)
        when 2 then '(+999) ' || digits
        else '+999' || digits
    end as phone,
    {draws.pick(words.STREETS, key(2), "street")} || ' ' || (1 + {draws.number(180, key(2), "house")}) || ', '
        || (10000 + {draws.number(89999, key(2), "code")}) || ' ' || {draws.pick(words.TOWNS, key(2), "town")}
        as postal_address,
    case when {draws.below(0.15, "u", "no birth")} then null
        else cast(1942 + {draws.number(34, "u", "birth")} + {draws.number(34, "u", "birth 2")} as varchar)
        end as birth_year,
    {draws.weighted(genders, "u", "gender")} as gender,
    case when is_reserved then 'active' else {draws.weighted(states, key(5), "status")} end as account_status,
    case when rank >= 0.9 then 'platinum' when rank >= 0.74 then 'gold' when rank >= 0.5 then 'silver' else 'bronze' end
        as tier,
    {by_share(draws.unit(key(1), "region"), regions)} as region_code,
    cast(cast(make_timestamp({start} + signed * 86400000000) as date) as varchar) as signed_up_on,
    case when is_reserved or {draws.below(0.62, "u", "marketing")} <> ({changes(3)} % 2 = 1 and not is_reserved)
        then 'true' else 'false' end as marketing_consent,
    case when is_reserved or {draws.below(0.8, "u", "support")} then 'true' else 'false' end as support_consent,
    cast(make_timestamp({start} + greatest(changed, signed) * 86400000000
        + {draws.number(86400, "u", "change time")} * 1000000) as varchar) as updated_at
from (
    select *, {sign_up} as signed, {digits} as digits, {rank} as rank
    from (
        select
            *, {given} as name_first, {family} as name_last, {draws.pick(words.MAIL_DOMAINS, "u", "domain")} as domain,
            {draws.number(6, "u", "turn")} as turn, (d + phase) // period as v, d - (d + phase) % period as changed
        from (
            select
                *, {draws.bits("u", "phase")} % period as phase,
                case when is_reserved then 0 else {day} end::bigint as d  -- reserved profiles change by plan only
            from (select *, {list(CHANGE_PERIODS)}[1 + {draws.number(len(CHANGE_PERIODS), "u", "period")}] as period
                  from ({users_on(spec, day, first)}))
        )
    )
)"""


def region_metadata(spec: SampleSpec, day: int) -> str:
    """SELECT of region_metadata: the whole table."""
    rows = ", ".join(
        f"({literal(code)}, {literal(name)}, {literal(country)}, {literal('sales-' + code.lower() + '@example.com')})"
        for code, name, country, _, _, _ in words.REGIONS
    )
    return f"select * from (values {rows}) as t (region_code, region_name, country_code, region_manager)"


def region_thresholds(spec: SampleSpec, day: int) -> str:
    """SELECT of region_thresholds: the whole table."""
    rows = ", ".join(f"({literal(code)}, '{low:.2f}', '{high:.2f}')" for code, _, _, _, low, high in words.REGIONS)
    return f"select * from (values {rows}) as t (region_code, low_engagement_score, high_engagement_score)"

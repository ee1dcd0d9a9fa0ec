{#- Months that have begun by the day. The last whole month is the one before that of the day after. #}
{%- set day, rule = newest_day(), var('engagement') %}
{%- set measures = {'session_count': 'bigint', 'spend_amount': 'decimal(18,2)'} %}
{%- set stretches = {'recent': (1, rule.window_months), 'prior': (rule.window_months + 1, 2 * rule.window_months)} %}

with months as (
    select
        *,
        {{ months_between('month_starts_on', first_of_month(add_days(day, 1))) }} as months_back,
        case when session_count > 0 then least({{ add_days('next_month_starts_on', -1) }}, {{ day }}) end as sessions_until,
        case when last_contact_on <= {{ day }} then last_contact_on end as contact_on,
        spend_amount is not null and session_count is not null as has_both
    from {{ ref('int_engagement_matched') }}
    where not is_future
)

select
    client_id,
    project_code,
    min(month_starts_on) as first_month_on,
    max(month_starts_on) as last_month_on,
    min(case when is_active then month_starts_on end) as first_active_month_on,
    max(case when is_active then month_starts_on end) as last_active_month_on,
    cast(count(case when is_active then 1 end) as bigint) as active_month_count,
    {%- for name, type in measures.items() %}
    cast(coalesce(sum({{ name }}), 0) as {{ type }}) as {{ name }},
    {%- for stretch, (first, last) in stretches.items() %}
    cast(coalesce(sum(case when months_back between {{ first }} and {{ last }} then {{ name }} end), 0) as {{ type }}) as {{ stretch }}_{{ name }},
    {%- endfor %}
    {%- endfor %}
    cast(sum(case when has_both then spend_amount end) as decimal(18,2)) as spend_with_sessions_amount,
    cast(sum(case when has_both then session_count end) as bigint) as sessions_with_spend_count,
    min(contact_on) as first_contact_on,
    max(contact_on) as last_contact_on,
    greatest(coalesce(max(contact_on), max(sessions_until)), coalesce(max(sessions_until), max(contact_on))) as last_activity_on,
    {{ value_at_greatest('status', 'case when status is not null then month_starts_on end') }} as status,
    {{ value_at_greatest('channel', 'case when channel is not null then month_starts_on end') }} as channel,
    max(case when level_rank is not null then month_starts_on end) as level_told_on,
    max(case when level_change in ('first', 'raised', 'lowered') then month_starts_on end) as level_changed_on,
    {%- for name, column in {'level': 'level_rank', 'sessions': 'session_count', 'spend': 'spend_amount'}.items() %}
    cast(count(case when {{ column }} is null then 1 end) as bigint) as months_without_{{ name }}_count{{ ',' if not loop.last }}
    {%- endfor %}
from months
group by client_id, project_code

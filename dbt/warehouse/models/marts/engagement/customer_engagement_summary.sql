{%- set day, rule = newest_day(), var('engagement') %}
{%- set months = ref('int_engagement_matched') %}

with pairs as (
    select
        client_id,
        project_code,
        {{ value_at_greatest('client_name', 'case when client_name is not null then month_starts_on end') }} as client_name,
        cast(count(*) as bigint) as month_count,
        {%- for reason in ['before_start', 'after_end'] %}
        cast(count(case when reason = '{{ reason }}' then 1 end) as bigint) as months_{{ reason }}_count,
        {%- endfor %}
        cast(count(case when is_future then 1 end) as bigint) as months_in_future_count,
        cast(count(reason) as bigint) as unmatched_month_count
    from {{ months }}
    group by client_id, project_code
)

select
    {{ day }} as as_of,
    pairs.client_id,
    pairs.client_name,
    pairs.project_code,
    projects.project_name,
    projects.client_segment,
    projects.region,
    projects.owner_team,
    projects.project_status,
    projects.started_on as project_started_on,
    projects.ended_on as project_ended_on,
    projects.currency_code,
    projects.project_code is not null as is_matched,
    case when projects.project_code is null then 'unknown_project' end as unmatched_reason,
    pairs.month_count,
    pairs.unmatched_month_count,
    pairs.months_before_start_count,
    pairs.months_after_end_count,
    pairs.months_in_future_count,
    totals.first_month_on,
    totals.last_month_on,
    totals.first_active_month_on,
    totals.last_active_month_on,
    {%- for name in [
        'active_month_count', 'session_count', 'recent_session_count', 'prior_session_count', 'spend_amount', 'recent_spend_amount', 'prior_spend_amount',
    ] %}
    coalesce(totals.{{ name }}, 0) as {{ name }},
    {%- endfor %}
    {{ amount_per('totals.spend_with_sessions_amount', 'totals.sessions_with_spend_count') }} as spend_per_session_amount,
    totals.first_contact_on,
    totals.last_contact_on,
    totals.last_activity_on,
    {{ add_days('totals.last_activity_on', rule.lapsed_after_days) }} as lapses_on,
    levels.engagement_level,
    levels.level_before,
    levels.level_change,
    totals.level_changed_on,
    totals.status,
    totals.channel,
    coalesce({{ add_days('totals.last_activity_on', rule.lapsed_after_days) }} > {{ day }} and coalesce(totals.status, '') <> '{{ rule.lapsed_status }}', false) as is_active,
    coalesce({{ add_days('totals.last_activity_on', rule.lapsed_after_days) }} <= {{ day }}, false) or coalesce(totals.status = '{{ rule.lapsed_status }}', false) as is_lapsed,
    {%- for name in ['months_without_level_count', 'months_without_sessions_count', 'months_without_spend_count'] %}
    coalesce(totals.{{ name }}, 0) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from pairs
left join {{ ref('int_projects_known') }} as projects on pairs.project_code = projects.project_code
left join {{ ref('int_engagement_totals') }} as totals on pairs.client_id = totals.client_id and pairs.project_code = totals.project_code
left join {{ months }} as levels
    on totals.client_id = levels.client_id and totals.project_code = levels.project_code and totals.level_told_on = levels.month_starts_on

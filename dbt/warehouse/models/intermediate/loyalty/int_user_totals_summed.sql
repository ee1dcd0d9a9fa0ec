{{ config(materialized='table') }}

{%- set activity = 'login_count + purchase_count + feedback_count' %}
{%- set so_far = 'over (partition by user_id order by step_on rows between unbounded preceding and current row)' %}

with steps as (
    select
        user_id,
        case when landed_on < {{ first_day() }} then {{ first_day() }} else landed_on end as step_on,
        {%- for name in activity_measures() %}
        sum({{ name }}) as {{ name }},
        {%- endfor %}
        min({{ activity }}) as least_activity,
        max(case when {{ activity }} > 0 then activity_on end) as last_activity_on,
        max(case when score_count > 0 then activity_on end) as scored_on
    from {{ ref('user_daily_activity') }}
    where landed_on <= {{ as_of() }}
    group by 1, 2
)

select
    user_id,
    step_on,
    lead(step_on) over (partition by user_id order by step_on) as next_step_on,
    {%- for name, type in activity_measures().items() %}
    cast(sum({{ name }}) {{ so_far }} as {{ type }}) as {{ name }},
    {%- endfor %}
    max(last_activity_on) {{ so_far }} as last_activity_on,
    max(scored_on) {{ so_far }} as scored_on,
    min(least_activity) over (partition by user_id) < 0 as is_corrected
from steps

{{ config(materialized='table') }}

{#- What landed before the run is one step on its first day: carried over, or summed up again where the run goes back. -#}
{%- set carried = carried_until() %}
{%- set activity = 'login_count + purchase_count + feedback_count' %}

with changes as (
    select
        user_id,
        case when landed_on < {{ first_day() }} then {{ first_day() }} else landed_on end as step_on,
        {{ activity_measures() | join(', ') }},
        {{ activity }} < 0 as is_corrected,
        case when {{ activity }} > 0 then activity_on end as last_activity_on,
        case when score_count > 0 then activity_on end as scored_on,
        case when score_count <> 0 or score_points <> 0 then activity_on end as points_on,
        score_points as points
    from {{ ref('user_daily_activity') }}
    where landed_on <= {{ as_of() }}
    {%- if carried %}
        and landed_on > {{ carried }}
    union all
    select
        user_id,
        {{ first_day() }} as step_on,
        {{ activity_measures() | join(', ') }},
        is_corrected,
        last_activity_on,
        scored_on,
        scored_on as points_on,
        engagement_score as points
    from {{ this }}
    where next_step_on is null
    {%- endif %}
),

steps as (
    select
        user_id, step_on, {% for name in activity_measures() %} sum({{ name }}) as {{ name }}, {% endfor %}
        max(case when is_corrected then 1 else 0 end) as corrections,
        max(last_activity_on) as last_activity_on,
        max(scored_on) as scored_on
    from changes
    group by user_id, step_on
),

totals as (
    select
        user_id, step_on, {{ 'cast(null as date)' if is_one_step() else 'lead(step_on) over (partition by user_id order by step_on)' }} as next_step_on,
        {%- for name, type in activity_measures().items() %}
        cast({{ up_to_step('sum', name) }} as {{ type }}) as {{ name }},
        {%- endfor %}
        {{ up_to_step('max', 'last_activity_on') }} as last_activity_on,
        {{ up_to_step('max', 'scored_on') }} as scored_on,
        {{ 'corrections' if is_one_step() else 'max(corrections) over (partition by user_id)' }} > 0 as is_corrected
    from steps
),

-- The score of a day is what its changes up to the step add up to.
scores as (
    select totals.user_id, totals.step_on, cast(sum(changes.points) as decimal(5,2)) as engagement_score
    from totals
    inner join changes
        on totals.user_id = changes.user_id and totals.scored_on = changes.points_on and totals.step_on >= changes.step_on
    group by totals.user_id, totals.step_on
)

select totals.*, scores.engagement_score, {{ as_of() }} as known_on
from totals
left join scores on totals.user_id = scores.user_id and totals.step_on = scores.step_on

with totals as (
    select * from {{ ref('int_user_totals_summed') }}
),

scores as (
    select
        totals.user_id,
        totals.step_on,
        cast(sum(activity.score_points) as decimal(5,2)) as engagement_score
    from totals
    inner join {{ ref('user_daily_activity') }} as activity
        on totals.user_id = activity.user_id
        and totals.scored_on = activity.activity_on
        and totals.step_on >= activity.landed_on
    where activity.score_count <> 0 or activity.score_points <> 0
    group by totals.user_id, totals.step_on
)

select
    totals.user_id,
    totals.step_on,
    totals.next_step_on,
    {%- for name in activity_measures() %}
    totals.{{ name }},
    {%- endfor %}
    case when totals.is_corrected then corrected.last_activity_on else totals.last_activity_on end as last_activity_on,
    scores.engagement_score,
    totals.scored_on
from totals
left join scores on totals.user_id = scores.user_id and totals.step_on = scores.step_on
left join {{ ref('int_last_activity_corrected') }} as corrected
    on totals.user_id = corrected.user_id and totals.step_on = corrected.step_on

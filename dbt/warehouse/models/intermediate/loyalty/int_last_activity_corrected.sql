with steps as (
    select user_id, step_on from {{ ref('int_user_totals_summed') }} where is_corrected
),

known as (
    select
        activity.user_id,
        activity.activity_on,
        activity.landed_on,
        lead(activity.landed_on) over (partition by activity.user_id, activity.activity_on order by activity.landed_on) as replaced_on,
        sum(activity.login_count + activity.purchase_count + activity.feedback_count) over (
            partition by activity.user_id, activity.activity_on order by activity.landed_on
            rows between unbounded preceding and current row
        ) as activity_count
    from {{ ref('user_daily_activity') }} as activity
    where activity.landed_on <= {{ as_of() }}
        and activity.user_id in (select user_id from steps)
)

select
    steps.user_id,
    steps.step_on,
    max(known.activity_on) as last_activity_on
from steps
inner join known
    on steps.user_id = known.user_id
    and {{ in_force('steps.step_on', 'known.landed_on', 'known.replaced_on') }}
where known.activity_count > 0
group by steps.user_id, steps.step_on

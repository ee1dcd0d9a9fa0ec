with versions as (
    select
        versions.*,
        {{ business_date('acted_at') }} as acted_on,
        lead(landed_on) over (partition by action_id order by landed_on) as replaced_on
    from {{ ref('int_retention_action_versions') }} as versions
    where sign > 0 and landed_on <= {{ as_of() }}
),

changes as (
    select user_id, landed_on as changed_on from versions
    union all
    select user_id, replaced_on from versions where replaced_on is not null
),

steps as (
    select distinct user_id, case when changed_on < {{ first_day() }} then {{ first_day() }} else changed_on end as step_on from changes
),

last_actions as (
    select steps.user_id, steps.step_on, versions.action_type, versions.acted_on, versions.outcome
    from steps
    left join versions
        on steps.user_id = versions.user_id
        and {{ in_force('steps.step_on', 'versions.landed_on', 'versions.replaced_on') }}
    qualify row_number() over (
        partition by steps.user_id, steps.step_on
        order by versions.acted_at desc nulls last, versions.action_id desc nulls last
    ) = 1
)

select
    user_id,
    step_on,
    lead(step_on) over (partition by user_id order by step_on) as next_step_on,
    action_type as last_retention_action_type,
    acted_on as last_retention_action_on,
    outcome as last_retention_outcome
from last_actions

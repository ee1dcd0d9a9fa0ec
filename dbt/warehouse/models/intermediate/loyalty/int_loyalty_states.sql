with members as (
    select * from {{ ref('int_members_known') }}
),

states as (
    select
        members.*,
        regions.region_name,
        regions.country_code,
        regions.low_engagement_score,
        regions.high_engagement_score,
        {%- for name in counted_columns() %}
        coalesce(totals.{{ name }}, 0) as {{ name }},
        {%- endfor %}
        totals.last_activity_on,
        actions.last_retention_action_type,
        actions.last_retention_action_on,
        actions.last_retention_outcome,
        totals.engagement_score,
        totals.scored_on,
        case
            when totals.engagement_score is null
                or regions.low_engagement_score is null
                or regions.high_engagement_score is null then 'unknown'
            when totals.engagement_score >= regions.high_engagement_score then 'high'
            when totals.engagement_score <= regions.low_engagement_score then 'low'
            else 'medium'
        end as engagement_band
    from members
    left join {{ ref('int_regions_known') }} as regions
        on members.state_on = regions.state_on and members.region_code = regions.region_code
    left join {{ ref('int_user_totals_stepped') }} as totals
        on members.user_id = totals.user_id
        and {{ in_force('members.state_on', 'totals.step_on', 'totals.next_step_on') }}
    left join {{ ref('int_retention_actions_stepped') }} as actions
        on members.user_id = actions.user_id
        and {{ in_force('members.state_on', 'actions.step_on', 'actions.next_step_on') }}
)

select
    user_id,
    state_on,
    {%- for name in tracked_columns() %}
    {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from states

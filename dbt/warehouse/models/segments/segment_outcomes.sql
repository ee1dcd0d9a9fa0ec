{{ config(materialized='table') }}

{%- set window_days, day, types = var('uplift').window_days, newest_day(), activity_measures() %}

-- Whoever entered since the hold-out holds and agreed to be addressed then; what comes later moves nobody from one arm to the other.
with entries as (
    select members.segment, members.user_id, min(members.entered_on) as entered_on
    from {{ ref('membership') }} as members
    inner join {{ source('ops', 'holdouts') }} as holdouts
        on members.segment = holdouts.segment and members.entered_on >= holdouts.since and members.entered_on < {{ day }}
    inner join {{ ref('loyalty_history') }} as states
        on members.user_id = states.user_id and {{ in_force('members.entered_on', 'states.valid_from', 'states.valid_to') }}
    where {{ agreed('members.segment', 'states') }}
    group by members.segment, members.user_id
)

select
    entries.segment,
    entries.user_id,
    case when chosen.user_id is null then 'treated' else 'held_out' end as arm,
    entries.entered_on,
    {{ add_days('entries.entered_on', window_days) }} as counted_until,
    {{ add_days('entries.entered_on', window_days) }} <= {{ day }} as is_window_over
    {%- for name in ['purchase_count', 'purchase_amount', 'login_count'] %},
    cast(coalesce(sum(activity.{{ name }}), 0) as {{ types[name] }}) as {{ name }}
    {%- endfor %}
from entries
left join {{ source('ops', 'holdout_members') }} as chosen
    on entries.segment = chosen.segment and entries.user_id = chosen.user_id
left join {{ ref('user_daily_activity') }} as activity
    on entries.user_id = activity.user_id and activity.landed_on <= {{ day }} and activity.activity_on > entries.entered_on
        and activity.activity_on <= {{ add_days('entries.entered_on', window_days) }}
group by entries.segment, entries.user_id, entries.entered_on, chosen.user_id

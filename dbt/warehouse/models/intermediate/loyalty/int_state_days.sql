with landed as (
    select distinct as_of as landed_on from {{ stage_batches() }} as batches
    where as_of <= {{ as_of() }}
),

days as (
    select landed_on as state_on from landed where landed_on >= {{ first_day() }}
    union
    -- The first day counts even if nothing landed on it any more: then the state before it goes on.
    select {{ first_day() }} as state_on where exists (select 1 from landed where landed_on < {{ first_day() }})
),

snapshots as (
    select
        days.state_on,
        max(case when batches.table_name = 'user_profile' then batches.as_of end) as profile_landed_on,
        max(case when batches.table_name = 'region_metadata' then batches.as_of end) as region_landed_on,
        max(case when batches.table_name = 'region_thresholds' then batches.as_of end) as threshold_landed_on
    from days
    inner join {{ stage_batches() }} as batches on days.state_on >= batches.as_of
    group by days.state_on
)

select
    state_on,
    lead(state_on) over (order by state_on) as next_state_on,
    profile_landed_on,
    region_landed_on,
    threshold_landed_on
from snapshots

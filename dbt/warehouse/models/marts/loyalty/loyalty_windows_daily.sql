{{ config(materialized='view') }}

with bounds as (
    select min(as_of) as first_on, max(as_of) as last_on from {{ source('ops', 'effective_batches') }}
),

days as (
    select calendar.day as snapshot_date from ({{ calendar('bounds') }}) as calendar
),

placed as (
    select
        days.snapshot_date,
        activity.*,
        {{ days_between('days.snapshot_date', 'activity.activity_on') }} as day_offset
    from days
    inner join {{ ref('user_daily_activity') }} as activity
        on activity.activity_on > {{ add_days('days.snapshot_date', -90) }}
        and activity.activity_on <= days.snapshot_date
        and activity.landed_on <= days.snapshot_date
),

summed as (
    select
        snapshot_date,
        user_id,
        {%- for name, (measure, days, type) in windowed_columns().items() %}
        cast(sum({% if days == 90 %}{{ measure }}{% else %}case when day_offset > -{{ days }} then {{ measure }} else 0 end{% endif %}) as {{ type }}) as {{ name }},
        {%- endfor %}
        {%- for name, points in {
            'n': 'score_count',
            'x': 'score_count * day_offset',
            'xx': 'score_count * day_offset * day_offset',
            'y': 'score_points * 100',
            'xy': 'score_points * 100 * day_offset',
        }.items() %}
        cast(sum(case when day_offset > -30 then {{ points }} else 0 end) as bigint) as trend_{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from placed
    group by snapshot_date, user_id
)

select
    snapshot_date,
    user_id,
    {%- for name in windowed_columns() %}
    {{ name }},
    {%- endfor %}
    {{ slope('trend_n', 'trend_x', 'trend_xx', 'trend_y', 'trend_xy') }} as engagement_score_trend_30d
from summed

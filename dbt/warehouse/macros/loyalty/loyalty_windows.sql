{#-
    Measures over the last 7, 30 and 90 days and the trend of the score, per user who has any: of one `day` (a date literal), which lets an
    engine skip what lies outside its 90 days, or of every calendar day.
-#}
{% macro loyalty_windows(day=none) -%}
{%- set of_day = day or 'days.snapshot_date' -%}
with
{%- if not day %} bounds as (
    select min(as_of) as first_on, max(as_of) as last_on from {{ stage_batches() }} as batches
),

days as (
    select calendar.day as snapshot_date from ({{ calendar('bounds') }}) as calendar
),
{% endif %} placed as (
    select
        {{ of_day }} as snapshot_date,
        activity.*,
        {{ days_between(of_day, 'activity.activity_on') }} as day_offset
    from {{ ref('user_daily_activity') }} as activity
    {{ 'where' if day else 'inner join days on' }} activity.activity_on > {{ add_days(of_day, -90) }}
        and activity.activity_on <= {{ of_day }}
        and activity.landed_on <= {{ of_day }}
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
{%- endmacro %}

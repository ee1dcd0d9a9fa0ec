{{ config(
    materialized='incremental',
    incremental_strategy='recut',
    meta={'recut': {'key': ['segment', 'user_id'], 'days': 'calendar', 'starts': 'entered_on', 'ends': 'left_on'}},
) }}

{#- Every segment is named here once: dbt must know what comes first. -#}
{%- set segments = {
    'highly_engaged': ref('highly_engaged'),
    'low_engagement': ref('low_engagement'),
} %}

{%- set since = recut_bounds('calendar', 'entered_on', 'left_on').since %}
{%- set until = newest_day() %}

with bounds as (
    select greatest(min(as_of), {{ since }}) as first_on, {{ until }} as last_on
    from {{ stage_batches() }} as batches
    having min(as_of) <= {{ until }}
),

days as (
    select calendar.day as state_on, lead(calendar.day) over (order by calendar.day) as next_state_on
    from ({{ calendar('bounds') }}) as calendar
),

states as (
    {% for name, segment in segments.items() -%}
    select '{{ name }}' as segment, user_id, snapshot_date as state_on
    from {{ segment }}
    where snapshot_date = {{ until }}
    union all
    select '{{ name }}' as segment, user_id, snapshot_date as state_on
    from {{ segment }}
    where snapshot_date >= {{ since }} and snapshot_date < {{ until }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

{{ recut_history(
    key=['segment', 'user_id'], tracked=[], days='calendar', starts='entered_on', ends='left_on', keep_deleted=false
) }}

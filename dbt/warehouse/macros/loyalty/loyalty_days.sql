{#-
    The loyalty master of one `day` (a date literal), or of every calendar day from the first to the last landed one, from history, windows
    and sources. Body of `loyalty_master`, and of the other days in `loyalty_history_daily`.
-#}
{% macro loyalty_days(day=none) -%}
with
{%- if day %} members as (
    select {{ day }} as snapshot_date, history.*
    from {{ ref('loyalty_history') }} as history
    where history.valid_from <= {{ day }}
        and (history.valid_to is null or history.valid_to > {{ day }})
        and not history.is_deleted
),

windows as (
    {{ loyalty_windows(day) | indent(4) }}
)
{%- else %} bounds as (
    select min(as_of) as first_on, max(as_of) as last_on from {{ stage_batches() }} as batches
),

days as (
    select calendar.day as snapshot_date from ({{ calendar('bounds') }}) as calendar
),

-- The bare calendar comes first: an engine knows that a filter leaves few of its days, and compares them with history row by row.
members as (
    select days.snapshot_date, history.*
    from days
    inner join {{ ref('loyalty_history') }} as history
        on {{ in_force('days.snapshot_date', 'history.valid_from', 'history.valid_to') }}
    where not history.is_deleted
),

windows as (
    select * from {{ ref('loyalty_windows_daily') }}
)
{%- endif %}

select
    members.snapshot_date,
    members.user_id,
    {%- for name in tracked_columns() %}
    members.{{ name }},
    {%- endfor %}
    {%- for name, (measure, days, type) in windowed_columns().items() %}
    {%- if name == 'support_call_count_30d' %}
    windows.engagement_score_trend_30d,
    {%- endif %}
    cast(coalesce(windows.{{ name }}, 0) as {{ type }}) as {{ name }},
    {%- endfor %}
    sources.sources_present,
    sources.sources_missing,
    sources.oldest_source_on
from members
left join {{ ref('loyalty_sources_daily') }} as sources on members.snapshot_date = sources.snapshot_date
left join windows on members.user_id = windows.user_id and members.snapshot_date = windows.snapshot_date
{%- endmacro %}

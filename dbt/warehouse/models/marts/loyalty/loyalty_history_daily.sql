{{ config(materialized='view') }}

select
    sources.snapshot_date,
    history.user_id,
    {%- for name in tracked_columns() %}
    history.{{ name }},
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
from {{ ref('loyalty_sources_daily') }} as sources
inner join {{ ref('loyalty_history') }} as history
    on {{ in_force('sources.snapshot_date', 'history.valid_from', 'history.valid_to') }}
left join {{ ref('loyalty_windows_daily') }} as windows
    on history.user_id = windows.user_id and sources.snapshot_date = windows.snapshot_date
where not history.is_deleted

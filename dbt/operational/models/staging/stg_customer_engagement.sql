{{ config(materialized='table') }}

{#-
    One row per client, project and month: the one that stands furthest down, in the last tab by name. People add a corrected row below the
    one that it corrects. Rows whose values wait for a decision are in client_engagement_waiting.
#}
{%- set columns = sheet_columns('client_engagement_metrics') %}

with usable as (
    select
        *,
        row_number() over (
            partition by client_id, project_code, date_trunc('month', period_starts_on)
            order by tab_name collate "C" desc nulls last, row_number desc
        ) as place,
        count(*) over (partition by client_id, project_code, date_trunc('month', period_starts_on)) as row_count
    from {{ ref('int_client_engagement_mapped') }}
    where problems is null
),

typed as (
    select
        {%- for name, column in columns.items() %}
        {%- set value = "date_trunc('month', period_starts_on)" if name == 'period_starts_on' else name %}
        cast({{ 'round(' ~ value ~ ', 2)' if column.type.startswith('decimal') else value }} as {{ 'text' if column.type == 'varchar' else column.type }}) as {{ name }},
        {%- endfor %}
        tab_name,
        row_number,
        row_count - 1 as superseded_row_count
    from usable
    where place = 1
)

select
    *,
    {{ row_digest(columns.keys()) }} as row_digest
from typed

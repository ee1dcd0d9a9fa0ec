{{ config(materialized='table') }}

{#- Every row of the sheet that holds anything, with its values and why it cannot be used. #}
{%- set columns = sheet_columns('client_engagement_metrics') %}

select
    sheet._tab as tab_name,
    sheet._row as row_number,
    {%- for name, column in columns.items() %}
    {{ value_of(name, column) }} as {{ name }},
    {%- endfor %}
    nullif(concat_ws('; ',
        {%- for name, column in columns.items() %}
        {{ problem_of(name, column) | indent(8) }}{{ ',' if not loop.last }}
        {%- endfor %}
    ), '') as problems
from {{ source('operations', 'client_engagement_metrics') }} as sheet
{{- mapping_joins(columns) }}
where coalesce({% for name in columns %}{{ cell('sheet.' ~ name) }}{{ ', ' if not loop.last }}{% endfor %}) is not null

{{ config(materialized='table') }}

{#-
    One row per client, project and month, with the columns of the contract and no others: it is what the warehouse is given. Where a row
    stands in the sheet, and which ones it supersedes, is in int_client_engagement_ranked.
#}
{%- set columns = sheet_columns('client_engagement_metrics') %}

with typed as (
    select
        {%- for name, column in columns.items() %}
        {%- set value = "date_trunc('month', period_starts_on)" if name == 'period_starts_on' else name %}
        cast({{ 'round(' ~ value ~ ', 2)' if column.type.startswith('decimal') else value }} as {{ 'text' if column.type == 'varchar' else column.type }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_client_engagement_ranked') }}
    where rank_from_below = 1
)

select
    *,
    {{ row_digest(columns.keys()) }} as row_digest
from typed

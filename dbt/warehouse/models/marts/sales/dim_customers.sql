{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='customer_id') }}

{%- set history, tracked = ref('int_customers_history'), tracked_of_customers() %}

with
{%- if is_incremental() %}
touched as (
    {%- for versions in [history, this] %}
    select customer_id from {{ versions }} where valid_from >= {{ first_day() }} or valid_to >= {{ first_day() }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
),
{%- endif %}

versions_of_customers as (
    {{ dimension_of(history, 'customer', tracked, 'touched' if is_incremental() else none) | indent(4) }}
)

{{ with_touched('versions_of_customers', 'customer_id', columns_of_dimension('customer', tracked)) }}

{{ config(materialized='incremental', incremental_strategy='replace_touched', unique_key='customer_id') }}

with {{ touched_customers() }}

sums as (
    select
        customer_id,
        min(first_ordered_on) as first_ordered_on,
        max(last_ordered_on) as last_ordered_on,
        cast(sum(order_count) as bigint) as order_count,
        {{- sum_measures(of_lines=false) }}
    from {{ ref('int_customer_months') }}
    {{ 'where customer_id in (select customer_id from touched)' if is_incremental() }}
    group by customer_id
)

{{ with_touched('sums', 'customer_id', ['customer_id', 'first_ordered_on', 'last_ordered_on', 'order_count'] + (line_measures().keys() | list)) }}
